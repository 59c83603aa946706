"""The transformers library as a peer of the engine's model folders. Needs torch, transformers and safetensors.

  transformers_folder.py make OUT     writes a folder for each case below OUT, and figures.json
  transformers_folder.py check LIST   LIST is JSON: [{"folder", "like"}], `like` a case's folder; prints, for each, the
                                      worst difference of log-probabilities, and what did not load as it should
  transformers_folder.py tokens IN    IN is JSON: {"folder", "messages"}; prints what its tokenizer makes of them
"""

import json
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, LlamaConfig, Qwen2Config, Qwen3Config

SHAPE = dict(vocab_size=96, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=48, max_position_embeddings=64, rms_norm_eps=1e-5)
LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
BF16, F16, F32 = torch.bfloat16, torch.float16, torch.float32

# name: (config, stored as, largest shard)
CASES = {
    "llama-f32": (LlamaConfig(**SHAPE, tie_word_embeddings=False), F32, "5GB"),
    "llama-bf16-shards-llama3": (LlamaConfig(**SHAPE, tie_word_embeddings=False, rope_theta=5000.0,
                                             rope_scaling=LLAMA3), BF16, "10KB"),
    "llama-f16-tied-linear": (LlamaConfig(**SHAPE, tie_word_embeddings=True,
                                          rope_scaling=dict(rope_type="linear", factor=2.0)), F16, "5GB"),
    "llama-f32-biases": (LlamaConfig(**SHAPE, attention_bias=True, mlp_bias=True), F32, "5GB"),
    "llama-f32-wide-heads": (LlamaConfig(**SHAPE, head_dim=12), F32, "20KB"),
    "qwen2-bf16-tied": (Qwen2Config(**SHAPE, tie_word_embeddings=True), BF16, "5GB"),
    "qwen2-f32-shards-untied": (Qwen2Config(**SHAPE, tie_word_embeddings=False), F32, "20KB"),
    "qwen2-f16-yarn": (Qwen2Config(**SHAPE, rope_scaling=YARN), F16, "5GB"),
    "qwen3-f32-tied": (Qwen3Config(**SHAPE, head_dim=16, tie_word_embeddings=True), F32, "5GB"),
    "qwen3-bf16-shards-untied": (Qwen3Config(**SHAPE, head_dim=16, tie_word_embeddings=False), BF16, "10KB"),
    "qwen3-f16-yarn-exact-ramp": (Qwen3Config(**SHAPE, head_dim=16, rope_scaling=dict(
        **YARN, truncate=False, beta_fast=8.0, beta_slow=2.0)), F16, "5GB"),
    "qwen3-f32-yarn-mscale": (Qwen3Config(**SHAPE, head_dim=16, rope_scaling=dict(
        **YARN, mscale=0.8, mscale_all_dim=0.4)), F32, "5GB"),
    "qwen3-f32-yarn-factor": (Qwen3Config(**SHAPE, head_dim=16, rope_scaling=dict(
        **YARN, attention_factor=1.25)), F32, "5GB"),
    "qwen3-bf16-biases": (Qwen3Config(**SHAPE, head_dim=16, attention_bias=True), BF16, "5GB"),
}


def sequences():
    generator = torch.Generator().manual_seed(7)
    return [torch.randint(0, 96, (length,), generator=generator) for length in (5, 17, 60)]


def logprobs(model):
    rows = []
    with torch.no_grad():
        for ids in sequences():
            logits = model(ids[None]).logits[0, :-1].float()
            rows.append(torch.log_softmax(logits, -1).gather(1, ids[1:, None])[:, 0].tolist())
    return rows


def make(out):
    figures = {}
    for name, (config, dtype, shard) in CASES.items():
        torch.manual_seed(3)
        config.eos_token_id = 5
        model = AutoModelForCausalLM.from_config(config)
        for parameter_name, parameter in model.named_parameters():
            with torch.no_grad():
                parameter.normal_(0, 0.2 if parameter.dim() == 2 else 0.3)
                if parameter_name.endswith("norm.weight"):
                    parameter.add_(1)
        model.generation_config = GenerationConfig(eos_token_id=[5, 6], temperature=0.5, do_sample=True)
        folder = os.path.join(out, name)
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        figures[name] = logprobs(AutoModelForCausalLM.from_pretrained(folder, dtype=F32))
    with open(os.path.join(out, "figures.json"), "w") as file:
        json.dump({"sequences": [ids.tolist() for ids in sequences()], "logprobs": figures}, file)


def tensors_of(folder):
    names = [name for name in sorted(os.listdir(folder))
             if name.endswith(".safetensors") and not name.startswith("optimizer")]
    return {key: value for name in names for key, value in load_file(os.path.join(folder, name)).items()}


def check(cases):
    answers = []
    for case in cases:
        model, info = AutoModelForCausalLM.from_pretrained(case["folder"], dtype=F32, output_loading_info=True)
        expected = AutoModelForCausalLM.from_pretrained(case["like"], dtype=F32)
        worst = max(abs(a - b) for one, other in zip(logprobs(model), logprobs(expected))
                    for a, b in zip(one, other))
        # bits as they are stored, after torch has rounded the other's: nearest, halfway to even
        own, other = tensors_of(case["folder"]), tensors_of(case["like"])
        differing = [key for key in set(own) | set(other)
                     if key not in own or key not in other or not torch.equal(own[key], other[key].to(own[key].dtype))]
        config, like = AutoConfig.from_pretrained(case["folder"]), AutoConfig.from_pretrained(case["like"])
        fields = [key for key in SHAPE if getattr(config, key) != getattr(like, key)]
        answers.append({"worst": worst, "differing": differing, "fields": fields,
                        "stored": sorted({str(value.dtype) for value in own.values()}),
                        "told": str(config.dtype),
                        "class": type(model).__name__,
                        "eos": model.generation_config.eos_token_id,
                        "missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"])})
    return answers


def tokens(request):
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(request["folder"])
    text = tokenizer.apply_chat_template(request["messages"], tokenize=False, add_generation_prompt=True)
    return {"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]}


if __name__ == "__main__":
    verb, given = sys.argv[1:]
    if verb == "make":
        make(given)
    else:
        with open(given) as file:
            request = json.load(file)
        print(json.dumps(check(request) if verb == "check" else tokens(request)))
