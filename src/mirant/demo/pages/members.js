/** Who is in the room, and whom the next message is for. Knows no bus. */
import { face } from "./conversation.js";

/** The list of members and the choice of a recipient, kept in step. */
export class Members {
  #list;
  #count;
  #recipient;
  /** @type {string[]} */
  #names = [];
  #own = "";

  /** @param {{ list: HTMLElement, count: HTMLElement, recipient: HTMLSelectElement }} elements */
  constructor({ list, count, recipient }) {
    this.#list = list;
    this.#count = count;
    this.#recipient = recipient;
    recipient.addEventListener("change", () => this.#showChoice());
  }

  /** The member the next message is for, or "" for everyone. */
  get recipient() {
    return this.#recipient.value;
  }

  /**
   * @param {string[]} names
   * @param {string} own the visitor's own name
   */
  show(names, own) {
    this.#names = names;
    this.#own = own;
    this.#count.textContent = names.length ? String(names.length) : "";
    this.#showRecipients();
    this.#showList();
  }

  /**
   * @param {string} name as typed
   * @returns {string | undefined} the member of this name, as the member writes it
   */
  find(name) {
    const wanted = name.trim().toLowerCase();
    return this.#names.find((each) => each.toLowerCase() === wanted);
  }

  /** @param {string} name a member, or "" for everyone */
  choose(name) {
    this.#recipient.value = name;
    this.#showChoice();
  }

  /**
   * A chosen recipient who has left stays chosen: what was meant for one must never silently go
   * to everyone.
   */
  #showRecipients() {
    const chosen = this.recipient;
    const others = this.#names.filter((name) => name !== this.#own);
    const options = others.map((name) => new Option(`To ${name} only`, name));
    if (chosen && !others.includes(chosen)) options.push(new Option(`${chosen} (left)`, chosen));
    this.#recipient.replaceChildren(new Option("To everyone", ""), ...options);
    this.#recipient.value = chosen;
  }

  #showList() {
    const focused = /** @type {HTMLElement | null} */ (this.#list.querySelector(":focus"))?.dataset.name;
    this.#list.replaceChildren(...this.#names.map((name) => this.#item(name)));
    this.#showChoice();
    if (focused !== undefined) this.#button(focused)?.focus();
  }

  /** @param {string} name */
  #item(name) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "member";
    button.dataset.name = name;
    button.disabled = name === this.#own;
    const label = document.createElement("span");
    label.textContent = name;
    if (name === this.#own) {
      const you = document.createElement("small");
      you.textContent = " (you)";
      label.append(you);
    }
    button.append(face(name), label);
    button.addEventListener("click", () => {
      this.choose(this.recipient === name ? "" : name);
      this.#recipient.dispatchEvent(new Event("chosen", { bubbles: true }));
    });
    item.append(button);
    return item;
  }

  /** @param {string} name */
  #button(name) {
    return /** @type {HTMLButtonElement | null} */ (this.#list.querySelector(`[data-name="${CSS.escape(name)}"]`));
  }

  #showChoice() {
    this.#recipient.form?.toggleAttribute("data-private", this.recipient !== "");
    for (const button of this.#list.querySelectorAll("button")) {
      if (button.disabled) continue;
      button.ariaPressed = String(button.dataset.name === this.recipient);
      button.title = `Write to ${button.dataset.name} privately`;
    }
  }
}
