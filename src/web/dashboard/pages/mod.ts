/** The pages of the dashboard, in the order of the navigation. */
import type { Page } from "../page.ts";
import { about } from "./about.ts";
import { confirmLetters } from "./confirm_letters.ts";
import { deadLetter } from "./dead_letter.ts";
import { deadLetters } from "./dead_letters.ts";
import { delayed } from "./delayed.ts";
import { record } from "./record.ts";
import { records } from "./records.ts";

/** Every page. */
export const PAGES = [
  deadLetters,
  confirmLetters,
  deadLetter,
  delayed,
  records,
  record,
  about,
] as readonly Page[];
