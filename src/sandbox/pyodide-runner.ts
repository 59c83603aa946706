/**
 * What runs code in the guest's Python: keeps the names between runs, shows the value of a last expression as a REPL
 * does, and answers in JSON `[error, kind]`. Its own module is not in `sys.modules`, and the bridges to JavaScript are
 * taken away, so that a program that reaches for them is told so; what holds if one finds a way around that is the
 * realm (see pyodide-realm.ts).
 */
export const pythonRunner = `
def make_runner():
    import ast, builtins, gc, io, json, sys, importlib.abc
    import decimal, fractions, itertools, math, random, statistics, collections, functools, datetime
    gone = ("js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core", "ctypes", "_ctypes", "micropip")

    class Deny(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in gone:
                raise PermissionError("the sandbox has no module " + repr(name))
            return None

    sys.set_int_max_str_digits(100_000)
    sys.setrecursionlimit(900)
    random.seed(0)
    names = {"__name__": "__main__", "__builtins__": builtins}

    def shorten(text):
        return text if len(text) <= 2000 else text[:2000] + "…"

    def explain(error):
        where = error.lineno if isinstance(error, SyntaxError) else None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<code>":
                where = trace.tb_lineno
            trace = trace.tb_next
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        text = type(error).__name__ + (": " + message if message else "")
        return shorten(text) + ("" if where is None else " (line %d)" % where)

    def run(source):
        error = kind = None
        try:
            tree = ast.parse(source, "<code>")
            last = None
            if tree.body and isinstance(tree.body[-1], ast.Expr):
                last = ast.Expression(tree.body.pop().value)
            exec(compile(tree, "<code>", "exec"), names)
            if last is not None:
                value = eval(compile(last, "<code>", "eval"), names)
                if value is not None:
                    print(repr(value))
        except SystemExit as stop:
            if stop.code not in (None, 0):
                error = "exit code " + shorten(str(stop.code))
        except BaseException as failure:
            if isinstance(failure, MemoryError):
                kind = "memory"
            elif isinstance(failure, PermissionError) and "the sandbox has no" in str(failure):
                kind = "denied"
            try:
                error = explain(failure)
            except BaseException:
                error = type(failure).__name__
            failure = None
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            pass
        return json.dumps([error, kind])

    for name in list(sys.modules):
        if name.split(".")[0] in gone:
            del sys.modules[name]
    sys.meta_path.insert(0, Deny())
    gc.collect()
    return run

make_runner()
`;
