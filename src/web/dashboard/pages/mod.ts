/** The pages of the dashboard, in the order of the navigation. */
import type { Page } from "../page.ts";
import { about } from "./about.ts";
import { confirmLetters } from "./confirm_letters.ts";
import { deadLetter } from "./dead_letter.ts";
import { deadLetters } from "./dead_letters.ts";
import { delayed } from "./delayed.ts";
import { overview } from "./overview.ts";
import { record } from "./record.ts";
import { records } from "./records.ts";
import { recurring } from "./recurring.ts";
import { topic } from "./topic.ts";
import { worker } from "./worker.ts";
import { workers } from "./workers.ts";

/** Every page. */
export const PAGES = [
  overview,
  deadLetters,
  confirmLetters,
  deadLetter,
  delayed,
  recurring,
  workers,
  worker,
  topic,
  records,
  record,
  about,
] as readonly Page[];
