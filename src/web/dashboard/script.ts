/**
 * The script of the dashboard. Every page works without it; it makes three things pleasant:
 *
 * - It refreshes a page that has `data-refresh` (seconds): it polls the same URL, and changes only what differs, so that focus,
 *   selected text, ticked boxes, open details and scroll positions stay. It stops while the tab is hidden, waits while text is
 *   selected or a form is being filled in, says when it cannot reach the server, and can be paused.
 * - It disables a form's buttons once it is sent (`data-once`): a double click sends it once.
 * - It adds "Select all" to a list (`data-select-all`), and a button that copies a command (`data-copy`).
 */

/** JavaScript. */
export const SCRIPT = `"use strict";
(() => {
  const main = document.getElementById("main");
  if (!main) return;

  const make = (tag, props) => Object.assign(document.createElement(tag), props);

  // Changes a node, so that it becomes like another one. Children with an id keep their identity.
  const keyOf = (node) => node.nodeType === 1 ? node.id : "";
  const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
  const isKept = (node) => node.nodeType === 1 && node.hasAttribute("data-added");
  const morph = (node, wanted) => {
    if (node.nodeType !== 1) {
      if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
      return;
    }
    for (const { name } of [...node.attributes]) {
      if (!wanted.hasAttribute(name) && name !== "open") node.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    const byKey = new Map();
    for (const child of node.children) if (child.id) byKey.set(child.id, child);
    let at = node.firstChild;
    const skip = () => { while (at && isKept(at)) at = at.nextSibling; };
    for (const next of [...wanted.childNodes]) {
      skip();
      const key = keyOf(next);
      const known = key ? byKey.get(key) : undefined;
      if (known && isSame(known, next)) {
        if (known === at) at = at.nextSibling;
        else node.insertBefore(known, at);
        morph(known, next);
      } else if (at && isSame(at, next)) {
        morph(at, next);
        at = at.nextSibling;
      } else node.insertBefore(document.importNode(next, true), at);
    }
    while (at) {
      const after = at.nextSibling;
      if (!isKept(at)) at.remove();
      at = after;
    }
  };

  // Buttons that copy a command, and the box that ticks all.
  const enhance = () => {
    for (const code of main.querySelectorAll("[data-copy]")) {
      if (code.querySelector(".copy") || !navigator.clipboard) continue;
      const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
      button.setAttribute("data-added", "");
      code.prepend(button);
    }
    for (const form of main.querySelectorAll("[data-select-all]")) {
      const head = form.querySelector("thead th");
      const boxes = form.querySelectorAll("tbody input[type=checkbox]");
      if (!head || boxes.length === 0 || head.querySelector("input")) continue;
      const all = make("input", { type: "checkbox", ariaLabel: "Select all of this page" });
      all.setAttribute("data-added", "");
      head.prepend(all);
      all.addEventListener("change", () => {
        for (const box of form.querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
      });
    }
  };
  main.addEventListener("click", async ({ target }) => {
    if (!target.classList?.contains("copy")) return;
    const text = [...target.parentNode.childNodes].filter((node) => node !== target).map((node) => node.textContent).join("");
    try {
      await navigator.clipboard.writeText(text.trim());
      target.textContent = "Copied";
    } catch {
      target.textContent = "Cannot copy";
    }
  });
  document.addEventListener("submit", ({ target }) => {
    if (!target.hasAttribute("data-once")) return;
    // After the event, so that the button that was pressed is part of the form.
    setTimeout(() => {
      for (const button of target.querySelectorAll("button")) button.disabled = true;
    });
  });
  // A page that comes back from the cache of the browser must have its buttons.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
  enhance();

  const live = main.querySelector("[data-refresh]");
  if (!live) return;
  const everyMs = Math.max(1, Number(live.dataset.refresh)) * 1000;
  const status = make("p", { className: "live" });
  const text = make("span", { textContent: "Updated now" });
  text.setAttribute("role", "status");
  const pause = make("button", { type: "button", textContent: "Pause updates" });
  status.append(text, pause);
  document.querySelector("header").append(status);

  let timer = 0;
  let failures = 0;
  let isPaused = false;
  let lastMs = Date.now();
  const show = (words, isLate) => {
    if (text.textContent !== words) text.textContent = words;
    status.classList.toggle("late", isLate);
  };
  const isBusy = () => {
    const active = document.activeElement;
    const isFilling = active && main.contains(active) && active.matches("input:not([type=checkbox]), select, textarea");
    return isFilling || !getSelection().isCollapsed || main.querySelector("details[open] form") !== null;
  };
  const plan = (ms) => {
    clearTimeout(timer);
    if (!isPaused && !document.hidden) timer = setTimeout(refresh, ms);
  };
  const refresh = async () => {
    if (isBusy()) {
      show("Updates wait while text is selected or a form is open", false);
      return plan(1000);
    }
    try {
      const response = await fetch(location.href, {
        headers: { accept: "text/html" },
        redirect: "manual",
        signal: AbortSignal.timeout(15000),
      });
      if (!response.ok) throw new Error("HTTP " + response.status);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const next = page.querySelector("[data-refresh]");
      if (!next) throw new Error("Another page");
      if (document.hidden || isPaused || isBusy()) return plan(1000);
      const active = document.activeElement;
      const title = page.querySelector("h1");
      const own = main.querySelector("h1");
      if (title && own) morph(own, title);
      document.title = page.title;
      morph(live, next);
      enhance();
      if (active && active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
      failures = 0;
      lastMs = Date.now();
      show("Updates every " + everyMs / 1000 + " s", false);
    } catch {
      failures++;
      show("Not updated for " + Math.round((Date.now() - lastMs) / 1000) + " s: the server does not respond", true);
    }
    plan(Math.min(60000, everyMs * 2 ** failures));
  };
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on with updates" : "Pause updates";
    if (isPaused) {
      clearTimeout(timer);
      show("Updates are paused", false);
    } else refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (!isPaused) plan(Math.max(0, everyMs - (Date.now() - lastMs)));
  });
  show("Updates every " + everyMs / 1000 + " s", false);
  plan(everyMs);
})();
`;
