/**
 * A client of the gateway's realtime endpoint (docs/realtime.md). One file, no dependency; for pages and for Node 22.
 *
 *     import { Torana } from "./torana.js";
 *     const live = new Torana("wss://api.example.com/api/v1/ws", { token: () => fetchToken() });
 *     live.subscribe("generation.gen_123", (event) => console.log(event.event, event.data), { onGap: reload });
 *
 * It reconnects with growing pauses, each by chance (full jitter), subscribes again and goes on after the last event
 * that it has seen, so nothing is missed that the gateway still has; where it has not, `onGap` is called.
 */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const PING_MS = 25_000;
const ANSWER_MS = 10_000;
const CREDENTIALS_ENDED = 4401;
/** Closing codes after which the same again would end the same way. */
const FINAL = new Set([1002, 1007, 1008, 1009]);

export class Torana {
  #url;
  #options;
  #socket = null;
  #topics = new Map(); // topic -> { handlers: Set, lastId: string }
  #state = "closed";
  #failures = 0;
  #pauseFromServer = null;
  #timers = { reconnect: 0, ping: 0, answer: 0 };

  /**
   * `url` is ws:// or wss://. Options, all optional:
   *   token       a text, or a function that gives one (or a promise of one): asked before each connection; without it
   *               the page's cookies say who calls
   *   onState     called with "connecting", "open", "waiting" or "closed", and for "closed" with the code and reason
   *   onError     called with { code, message } of what the gateway refuses
   *   WebSocket   another class, for tests;  random: another source of chance
   */
  constructor(url, options = {}) {
    this.#url = url;
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, ...options };
    this.#connect();
  }

  get state() {
    return this.#state;
  }

  /** Calls `handler(event)` for each event of the topic: { id, topic, event, data, timestamp }. Gives a function that ends it. */
  subscribe(topic, handler, { onGap = () => {}, lastEventId = "" } = {}) {
    const known = this.#topics.get(topic) ?? { handlers: new Map(), lastId: lastEventId };
    const isNew = known.handlers.size === 0;
    const key = Symbol(topic);
    known.handlers.set(key, { handler, onGap });
    this.#topics.set(topic, known);
    if (isNew && this.#state === "open") this.#ask(topic, known);
    return () => {
      known.handlers.delete(key);
      if (known.handlers.size === 0 && this.#topics.get(topic) === known) {
        this.#topics.delete(topic);
        this.#send({ type: "unsubscribe", topic });
      }
    };
  }

  /** Shows another token, on the connection that is open. */
  authenticate(token) {
    this.#send({ type: "authenticate", token });
  }

  /** Ends it for good. */
  close() {
    this.#become("closed", 1000, "");
    this.#socket?.close(1000);
  }

  async #connect() {
    this.#become("connecting");
    let token;
    try {
      token = typeof this.#options.token === "function" ? await this.#options.token() : this.#options.token;
    } catch {
      this.#wait();
      return;
    }
    if (this.#state !== "connecting") return;
    const socket = new this.#options.WebSocket(this.#url, token ? ["bearer", token] : []);
    this.#socket = socket;
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#ended(code, reason);
  }

  #hear(data) {
    clearTimeout(this.#timers.answer);
    const message = JSON.parse(data);
    const known = this.#topics.get(message.topic);
    switch (message.type) {
      case "connected":
        this.#failures = 0;
        this.#become("open");
        for (const [topic, each] of this.#topics) this.#ask(topic, each);
        this.#timers.ping = setInterval(() => this.#ping(), PING_MS);
        break;
      case "event":
        if (known === undefined) break;
        known.lastId = message.id;
        for (const { handler } of known.handlers.values()) handler(message);
        break;
      case "gap":
        for (const { onGap } of known?.handlers.values() ?? []) onGap(message);
        break;
      case "reconnect":
        this.#pauseFromServer = message.after_ms ?? 0;
        break;
      case "error":
        this.#options.onError?.({ code: message.code, message: message.message, topic: message.topic });
        break;
    }
  }

  #ask(topic, known) {
    this.#send({ type: "subscribe", topic, ...(known.lastId && { last_event_id: known.lastId }) });
  }

  #ping() {
    this.#send({ type: "ping" });
    clearTimeout(this.#timers.answer);
    this.#timers.answer = setTimeout(() => this.#drop(), ANSWER_MS);
  }

  /** The connection is dead, though nobody has said so. */
  #drop() {
    const socket = this.#socket;
    this.#ended(1006, "no answer");
    socket?.close();
  }

  #ended(code, reason) {
    if (this.#state === "closed") return;
    this.#socket = null;
    this.#stopTimers();
    const isFinal = FINAL.has(code) || (code === CREDENTIALS_ENDED && typeof this.#options.token === "string");
    if (isFinal) this.#become("closed", code, reason);
    else this.#wait();
  }

  #wait() {
    this.#become("waiting");
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    const pause = this.#pauseFromServer ?? this.#options.random() * most;
    this.#pauseFromServer = null;
    this.#failures += 1;
    this.#timers.reconnect = setTimeout(() => this.#connect(), pause);
  }

  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #stopTimers() {
    clearTimeout(this.#timers.reconnect);
    clearTimeout(this.#timers.answer);
    clearInterval(this.#timers.ping);
  }

  #become(state, ...details) {
    if (state === "closed") this.#stopTimers();
    if (state === this.#state && state !== "connecting") return;
    this.#state = state;
    this.#options.onState?.(state, ...details);
  }
}
