// The live page of admin: events as they happen, newest first, over {API_PREFIX}/ws.
const MOST_ROWS = 200;
const RENEW_MS = 60_000;
const HISTORY = new Map([
  ["gateway.breakers", "Breakers"], ["gateway.targets", "Targets"],
  ["gateway.revisions", "Revisions"], ["gateway.security", "Access"],
]);
const ALARMING = new Set(["open", "unhealthy", "login_failed", "login_locked", "auth_failed", "forbidden", "token_reuse"]);

const page = document.getElementById("torana-live");
const rows = document.getElementById("torana-live-rows");
const state = document.getElementById("torana-live-state");
const { Torana } = await import(page.dataset.client);
let isPaused = false;
let held = [];

async function token() {
  const body = new URLSearchParams({
    csrfmiddlewaretoken: page.querySelector("[name=csrfmiddlewaretoken]").value,
  });
  const answer = await fetch(page.dataset.token, { method: "POST", body });
  if (!answer.ok || answer.redirected) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}

const scheme = location.protocol === "https:" ? "wss" : "ws";
const live = new Torana(`${scheme}://${location.host}${page.dataset.endpoint}`, {
  token,
  onState: (now) => {
    state.textContent = now === "open" ? "live" : now === "waiting" ? "reconnecting" : now;
    state.classList.toggle("torana-failing", now === "waiting" || now === "closed");
  },
  onError: ({ message, topic }) => show({ topic: topic ?? "", event: "refused", data: { message }, timestamp: new Date().toISOString() }),
});
setInterval(async () => {
  if (live.state === "open") live.authenticate(await token());
}, RENEW_MS);

for (const box of page.querySelectorAll("input[type=checkbox]")) {
  let leave = null;
  const follow = () => {
    const onGap = () => show({ topic: box.value, event: "gap", data: { message: "something was missed" }, timestamp: new Date().toISOString() });
    leave = live.subscribe(box.value, take, { onGap });
  };
  box.addEventListener("change", () => (box.checked ? follow() : leave?.()));
  follow();
}

const traffic = document.getElementById("torana-live-traffic");
const heard = new Map(); // worker -> its last second
live.subscribe(traffic.dataset.topic, ({ data }) => heard.set(data.worker, { ...data, at: Date.now() }));
setInterval(showTraffic, 1000);

document.getElementById("torana-live-pause").addEventListener("click", ({ target }) => {
  isPaused = !isPaused;
  target.textContent = isPaused ? "Go on" : "Pause";
  if (!isPaused) held.splice(0).forEach(show);
});
document.getElementById("torana-live-clear").addEventListener("click", () => rows.replaceChildren());

// Each worker tells each second; buckets grow by 2^(1/8), from an eighth of a millisecond, so they add up.
function showTraffic() {
  const now = [...heard.values()].filter(({ at }) => Date.now() - at < 1500);
  const sum = (name) => now.reduce((total, each) => total + each[name], 0);
  const buckets = new Map();
  for (const each of now) for (const [number, count] of Object.entries(each.buckets)) buckets.set(Number(number), (buckets.get(Number(number)) ?? 0) + count);
  let left = 0.95 * sum("requests");
  const last = [...buckets.keys()].sort((a, b) => a - b).find((number) => (left -= buckets.get(number)) <= 0);
  const figures = { requests: sum("requests"), errors: sum("errors"), refused: sum("refused"), p95: last === undefined ? "–" : `${(0.125 * 2 ** (last / 8)).toPrecision(3)} ms` };
  for (const [name, value] of Object.entries(figures)) {
    const shown = traffic.querySelector(`[data-figure="${name}"]`);
    if (shown.textContent !== String(value)) shown.textContent = value;
  }
}

function take(event) {
  const count = page.querySelector(`[data-count="${event.topic}"]`);
  count.textContent = Number(count.textContent) + 1;
  if (!isPaused) show(event);
  else if (held.push(event) > MOST_ROWS) held.shift();
}

function show({ topic, event, data, timestamp }) {
  const row = document.createElement("tr");
  const time = document.createElement("time");
  time.dateTime = timestamp;
  time.textContent = new Date(timestamp).toLocaleTimeString();
  const what = document.createElement("span");
  what.className = ALARMING.has(event) ? "torana-standing torana-failing" : "torana-standing";
  what.textContent = event.replaceAll("_", " ");
  for (const content of [time, HISTORY.get(topic) ?? topic, what, particulars(data)]) {
    const cell = document.createElement("td");
    cell.append(content);
    row.append(cell);
  }
  rows.prepend(row);
  while (rows.children.length > MOST_ROWS) rows.lastChild.remove();
  rows.closest("table").hidden = false;
  document.getElementById("torana-live-nothing").hidden = true;
}

function particulars(data) {
  return Object.entries(data ?? {})
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => typeof value === "object" && !Array.isArray(value) ? particulars(value) : `${name.replaceAll("_", " ")} ${value}`)
    .filter(Boolean)
    .join(", ");
}
