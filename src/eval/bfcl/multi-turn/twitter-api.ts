import {
  assign,
  dictFor,
  extend,
  get,
  increased,
  listFor,
  lower,
  removeFrom,
  toInteger,
} from "../python/methods.ts";
import { contains, isTrue, iterate, lengthOf, subscript } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { isEqual, isIn, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import type { Method, SimulatorClass } from "./simulator.ts";

/** Posts, comments and followers of one user. */
export const twitterApi: SimulatorClass = {
  name: "TwitterAPI",
  create(config, { common }) {
    const state: PythonDict = new Map();
    for (const [name, value] of Object.entries(defaults())) state.set(name, get(config, name, value));
    const tweets: PythonDict = new Map();
    for (const [id, tweet] of dictFor(state.get("tweets")!, "items")) assign(tweets, toInteger(id), tweet);
    state.set("tweets", tweets);
    const mentions = common?.get("mentions") ?? [];
    common?.set("mentions", mentions);
    return { methods: bindMethods(state, mentions), state: () => state };
  },
};

const defaults = (): Record<string, PythonValue> => ({
  username: "john",
  password: "john123",
  authenticated: false,
  tweets: new Map(),
  comments: new Map(),
  retweets: new Map(),
  following_list: ["alice", "bob"],
  tweet_counter: 0n,
});

const tweetId = { name: "tweet_id" };
// the argument that Python looks at first stands first
const isWithin = (item: PythonValue, container: PythonValue) => contains(container, item);
const notFound = (id: PythonValue) => toDict({ error: `Tweet with ID ${str(id)} not found.` });

function bindMethods(state: PythonDict, noMentions: PythonValue): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;
  const authenticated = (purpose: string, act: () => PythonValue): PythonValue =>
    isTrue(of("authenticated"))
      ? act()
      : toDict({ error: `User not authenticated. Please authenticate before ${purpose}.` });
  const isTweet = (id: PythonValue) => contains(of("tweets"), id);
  const tweetsWhere = (holds: (tweet: PythonValue) => boolean) =>
    [...dictFor(of("tweets"), "values").values()].filter(holds);
  const by = (username: PythonValue) => (tweet: PythonValue) =>
    isEqual(subscript(tweet, "username"), username);

  return {
    authenticate_twitter: {
      parameters: [{ name: "username" }, { name: "password" }],
      call(username = null, password = null) {
        const status = isEqual(username, of("username")) && isEqual(password, of("password"));
        if (status) state.set("authenticated", true);
        return toDict({ authentication_status: status });
      },
    },
    posting_get_login_status: {
      parameters: [],
      call: () => toDict({ login_status: isTrue(of("authenticated")) }),
    },
    post_tweet: {
      // One list for all calls and all objects, as Python has it: what is added to it is there in the next.
      parameters: [
        { name: "content" },
        { name: "tags", default: [] },
        { name: "mentions", default: noMentions },
      ],
      call: (content = null, tags = null, mentions = null) =>
        authenticated("posting", () => {
          const id = of("tweet_counter");
          const tweet = toDict({ id, username: of("username"), content, tags, mentions });
          assign(of("tweets"), id, tweet);
          state.set("tweet_counter", increased(id));
          return tweet;
        }),
    },
    retweet: {
      parameters: [tweetId],
      call: (id = null) =>
        authenticated("retweeting", () => {
          if (!isTweet(id)) return notFound(id);
          const [retweets, username] = [of("retweets"), of("username")];
          if (!contains(retweets, username)) assign(retweets, username, []);
          const own = subscript(retweets, username);
          if (contains(own, id)) return toDict({ retweet_status: "Already retweeted" });
          listFor(own, "append").push(id);
          return toDict({ retweet_status: "Successfully retweeted" });
        }),
    },
    comment: {
      parameters: [tweetId, { name: "comment_content" }],
      call: (id = null, content = null) =>
        authenticated("commenting", () => {
          if (!isTweet(id)) return notFound(id);
          const comments = of("comments");
          if (!contains(comments, id)) assign(comments, id, []);
          listFor(subscript(comments, id), "append").push(toDict({ username: of("username"), content }));
          return toDict({ comment_status: "Comment added successfully" });
        }),
    },
    mention: {
      parameters: [tweetId, { name: "mentioned_usernames" }],
      call(id = null, usernames = null) {
        if (!isTweet(id)) return notFound(id);
        extend(subscript(subscript(of("tweets"), id), "mentions"), usernames);
        return toDict({ mention_status: "Users mentioned successfully" });
      },
    },
    follow_user: {
      parameters: [{ name: "username_to_follow" }],
      call: (username = null) =>
        authenticated("following", () => {
          const following = of("following_list");
          if (contains(following, username)) return toDict({ follow_status: false });
          listFor(following, "append").push(username);
          return toDict({ follow_status: true });
        }),
    },
    list_all_following: {
      parameters: [],
      call: () => authenticated("listing following", () => toDict({ following_list: of("following_list") })),
    },
    unfollow_user: {
      parameters: [{ name: "username_to_unfollow" }],
      call: (username = null) =>
        authenticated("unfollowing", () => {
          const following = of("following_list");
          if (!contains(following, username)) return toDict({ unfollow_status: false });
          removeFrom(following, username);
          return toDict({ unfollow_status: true });
        }),
    },
    get_tweet: {
      parameters: [tweetId],
      call: (id = null) => (isTweet(id) ? subscript(of("tweets"), id) : notFound(id)),
    },
    get_user_tweets: {
      parameters: [{ name: "username" }],
      call: (username = null) => tweetsWhere(by(username)),
    },
    search_tweets: {
      parameters: [{ name: "keyword" }],
      call: (keyword = null) =>
        tweetsWhere(
          (tweet) =>
            isWithin(lower(keyword), lower(subscript(tweet, "content"))) ||
            isIn(lower(keyword), iterate(subscript(tweet, "tags")).map(lower)),
        ),
    },
    get_tweet_comments: {
      parameters: [tweetId],
      call: (id = null) => (isTweet(id) ? get(of("comments"), id, []) : notFound(id)),
    },
    get_user_stats: {
      parameters: [{ name: "username" }],
      call(username = null) {
        const tweets = tweetsWhere(by(username)).length;
        const following = isEqual(username, of("username")) ? lengthOf(of("following_list")) : 0;
        const retweets = lengthOf(get(of("retweets"), username, []));
        return toDict({
          tweet_count: BigInt(tweets),
          following_count: BigInt(following),
          retweet_count: BigInt(retweets),
        });
      },
    },
  };
}
