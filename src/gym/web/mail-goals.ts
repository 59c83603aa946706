import type { Random } from "../../kit/random.ts";
import { change, dayOf, type Goal, type PlanStep, question } from "./goal.ts";
import { type Mail, type MailData, mailsOnPage, named, owner, shelves, today } from "./mail.ts";

const senders = ["ana", "bilal", "chen", "dora", "emil", "shop", "bank", "school", "library", "garage"];
const topics = [
  "Invoice",
  "Meeting",
  "Delivery",
  "Photos",
  "Reminder",
  "Report",
  "Trip",
  "Repair",
  "Survey",
  "Lunch",
];
const months = ["in May", "for June", "next week", "on Friday", "at last", "again"];
const places = ["room 12", "room 31", "the harbour", "gate 4", "the north hall", "studio 7", "desk 9"];
const replies = [
  "Yes, I will come",
  "No, sorry",
  "Thank you",
  "Please send it again",
  "Done today",
  "Call me first",
];

function drawMailbox(random: Random): MailData {
  const subjects = new Set<string>();
  const count = mailsOnPage + 4 + random.integer(8);
  while (subjects.size < count) subjects.add(`${random.pick(topics)} ${random.pick(months)}`);
  return {
    mails: [...subjects].map((subject, index) => ({
      id: 201 + index,
      folder: index < mailsOnPage + 3 ? "inbox" : random.pick(["archive", "receipts"]),
      from: `${random.pick(senders)}@post.test`,
      to: owner,
      subject,
      date: dayOf(random, { year: 2026, days: 180 }),
      starred: random.integer(4) === 0,
      text: `Hello,\nit is ready at ${random.pick(places)}.\nUntil then.`,
    })),
  };
}

const pickMail = (random: Random, { mails }: MailData) =>
  random.pick(mails.filter(({ folder }) => folder === "inbox"));

const open = (subject: string): PlanStep[] => [
  { seek: `link "${subject}"`, by: 'link "Next"' },
  { click: `link "${subject}"` },
];

const changed = ({ mails }: MailData, mail: Mail, changes: Partial<Mail>) => ({
  mails: mails.map((other) => (other === mail ? { ...mail, ...changes } : other)),
});

/** Reads something from the text of a mail. */
export function read(random: Random): Goal {
  const data = drawMailbox(random);
  const mail = pickMail(random, data);
  const placeOf = ({ text }: Mail) => /at (.+)\./.exec(text)![1]!;
  return question({
    goal: `Where is what the mail "${mail.subject}" is about ready? Answer with the place alone.`,
    site: "mail",
    data,
    path: "/inbox",
    plan: open(mail.subject),
    value: placeOf(mail),
    guess: places.find((place) => place !== placeOf(mail))!,
    key: `${mail.subject} ${placeOf(mail)}`,
  });
}

/** Moves a mail to another folder by the menu. */
export function move(random: Random): Goal {
  const data = drawMailbox(random);
  const mail = pickMail(random, data);
  const folder = random.pick(shelves.filter((shelf) => shelf !== "inbox"));
  return change({
    goal: `Move the mail "${mail.subject}" to ${named(folder)}.`,
    site: "mail",
    data,
    expected: changed(data, mail, { folder }),
    path: "/inbox",
    plan: [...open(mail.subject), { click: 'disclosure "Move to"' }, { click: `button "${named(folder)}"` }],
    key: `${mail.subject} ${folder}`,
  });
}

/** Stars a mail and moves another: two things in one mailbox. */
export function tidy(random: Random): Goal {
  const data = drawMailbox(random);
  const [mail, other] = random.shuffle(data.mails.filter(({ folder }) => folder === "inbox"));
  const [first, second] = [mail!, other!];
  const folder = random.pick(shelves.filter((shelf) => shelf !== "inbox"));
  const starred = !first.starred;
  return change({
    goal: `${starred ? "Add a star to" : "Remove the star from"} the mail "${first.subject}", and move the mail "${second.subject}" to ${named(folder)}.`,
    site: "mail",
    data,
    expected: changed(changed(data, first, { starred }), second, { folder }),
    path: "/inbox",
    plan: [
      ...open(first.subject),
      { click: `button "${starred ? "Add star" : "Remove star"}"` },
      { click: 'link "Inbox"' },
      ...open(second.subject),
      { click: 'disclosure "Move to"' },
      { click: `button "${named(folder)}"` },
    ],
    key: `${first.subject} ${second.subject}`,
  });
}

/** Answers a mail. */
export function reply(random: Random): Goal {
  const data = drawMailbox(random);
  const mail = pickMail(random, data);
  const text = random.pick(replies);
  const sent: Mail = {
    id: 0,
    folder: "sent",
    from: owner,
    to: mail.from,
    subject: `Re: ${mail.subject}`,
    date: today,
    starred: false,
    text,
  };
  return change({
    goal: `Reply to the mail "${mail.subject}" with the text "${text}".`,
    site: "mail",
    data,
    expected: { mails: [...data.mails, sent] },
    path: "/inbox",
    plan: [
      ...open(mail.subject),
      { click: 'link "Reply"' },
      { type: 'textbox "Text"', text },
      { click: 'button "Send"' },
    ],
    key: `${mail.subject} ${text}`,
  });
}
