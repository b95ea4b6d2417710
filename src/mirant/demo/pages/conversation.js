/** What is said in a room, as a list on the page. Knows no bus. */

const MAX_ENTRIES = 500; // older ones leave the page: it may stay open for weeks
const SAME_SPEAKER = 120_000; // ms within which a speaker's name is not repeated
const NEAR_END = 60; // px: who is as near to the end as this wants to see what comes
const THREADS = 5; // colours of faces

/**
 * @typedef {{ user: string, chat: string, at: number, peer?: string }} Said
 */

/**
 * @param {string} name
 * @returns {HTMLElement} the round initial that stands for a member
 */
export function face(name) {
  const element = document.createElement("span");
  element.className = "face";
  element.ariaHidden = "true";
  element.textContent = [...name][0] ?? "";
  element.dataset.thread = String([...name].reduce((hash, char) => (hash * 31 + (char.codePointAt(0) ?? 0)) % 65_521, 7) % THREADS);
  return element;
}

/** The log of a conversation. Follows its end unless the reader has scrolled up. */
export class Conversation {
  #scroller;
  #list;
  #following = true;
  /** @type {{ key: string, at: number } | null} */
  #last = null;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} list the entries, within the scroller
   */
  constructor(scroller, list) {
    this.#scroller = scroller;
    this.#list = list;
    scroller.addEventListener("scroll", () => (this.#following = this.#nearEnd));
    new ResizeObserver(() => this.#follow()).observe(scroller);
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = null;
  }

  /**
   * @param {string} text
   * @param {"" | "lost" | "back"} [kind]
   */
  notice(text, kind = "") {
    const entry = document.createElement("li");
    entry.className = `notice ${kind}`.trim();
    entry.textContent = text;
    this.#last = null;
    this.#append(entry);
  }

  /**
   * @param {Said} said
   * @param {{ mine: boolean }} by
   */
  say(said, { mine }) {
    const key = `${said.user}\n${said.peer ?? ""}`;
    const again = this.#last?.key === key && said.at - this.#last.at < SAME_SPEAKER;
    this.#last = { key, at: said.at };
    const entry = document.createElement("li");
    entry.className = "said";
    entry.classList.toggle("mine", mine);
    entry.classList.toggle("private", said.peer !== undefined);
    entry.classList.toggle("again", again);
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = said.chat;
    entry.append(face(said.user), this.#heading(said, mine), text);
    this.#append(entry);
  }

  /**
   * @param {Said} said
   * @param {boolean} mine
   */
  #heading(said, mine) {
    const heading = document.createElement("span");
    heading.className = "who";
    const name = document.createElement("b");
    name.textContent = mine ? "You" : said.user;
    heading.append(name);
    if (said.peer !== undefined) {
      const scope = document.createElement("span");
      scope.className = "scope";
      scope.textContent = mine ? ` privately to ${said.peer}` : " privately to you";
      heading.append(scope);
    }
    const time = document.createElement("time");
    const at = new Date(said.at);
    time.dateTime = at.toISOString();
    time.textContent = ` ${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
    heading.append(time);
    return heading;
  }

  /** @param {HTMLElement} entry */
  #append(entry) {
    this.#list.append(entry);
    while (this.#list.childElementCount > MAX_ENTRIES) this.#list.firstElementChild?.remove();
    this.#follow();
  }

  get #nearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #follow() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
