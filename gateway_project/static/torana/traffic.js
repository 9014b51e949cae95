// Dashboards of admin: figures of a time range, asked for anew every ten seconds, and each second over {API_PREFIX}/ws.
const REFRESH_MS = 10_000;
const RENEW_MS = 60_000;
const LIVE_SECONDS = 60;
const CLASSES = new Map([
  ["2xx", ["2xx", "#16a34a"]], ["3xx", ["3xx", "#0891b2"]], ["1xx", ["1xx", "#64748b"]], ["4xx", ["4xx", "#d97706"]],
  ["5xx", ["5xx", "#dc2626"]], ["left", ["client left", "#94a3b8"]], ["none", ["no answer", "#7f1d1d"]],
]);

const page = document.getElementById("torana-board");
const state = document.getElementById("torana-board-state");
const charts = new Map();
const seconds = new Map(); // epoch second -> { requests, errors }
let range = page.dataset.range;
let figures = JSON.parse(document.getElementById("torana-board-figures").textContent);
let isLive = false;
let asked = 0;

const isDark = () => document.documentElement.classList.contains("dark");
const whole = new Intl.NumberFormat("en");
const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const bytes = (n) => {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let at = 0;
  while (n >= 1000 && at < units.length - 1) [n, at] = [n / 1000, at + 1];
  return `${few.format(n)} ${units[at]}`;
};
const SHORTEST_MS = 0.125; // of the histogram: what is shorter counts as this
const ms = (n, least = "") => (least && n > 0 && n <= SHORTEST_MS) ? `${least}${SHORTEST_MS} ms` : (n >= 1000 ? `${few.format(n / 1000)} s` : `${few.format(n)} ms`);
const percent = (share) => (share > 0 && share < 0.0001 ? "< 0.01 %" : `${few.format(share * 100)} %`);
const share = (part, all) => (all ? part / all : 0);

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function card(...children) {
  return element("div", { class: "torana-board-card" }, ...children);
}

function moment(at) {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return figures.end - figures.start > 86_400 ? `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}` : time;
}

// Figures

function showTotals() {
  const { totals } = figures;
  const cards = [
    ["Requests", whole.format(totals.requests), `${few.format(totals.rate)} a second`, "requests"],
    ["Errors", percent(totals.error_share), `${whole.format(totals.errors)} answers of 500 and more`, "errors"],
    ["Refused", whole.format(totals.refused), `${percent(share(totals.refused, totals.requests))} by the gateway itself`, "refused"],
    ["Median", ms(totals.p50_ms, "≤ "), `mean ${ms(totals.mean_ms)}`, "p50"],
    ["95th percentile", ms(totals.p95_ms, "≤ "), `99th: ${ms(totals.p99_ms, "≤ ")}`, "p95"],
    ["Sent", bytes(totals.sent), `received ${bytes(totals.received)}`, "sent"],
  ];
  document.getElementById("torana-board-totals").replaceChildren(...cards.map(([title, figure, note, name]) => card(
    element("p", { class: "torana-figure-title", text: title }),
    element("p", { class: "torana-figure", "data-figure": name, text: figure }),
    element("p", { class: "torana-subtle", text: note }),
  )));
  document.getElementById("torana-board-nothing").hidden = totals.requests > 0;
}

function table(title, heads, rows, nothing) {
  const caption = element("h3", { class: "torana-board-title", text: title });
  if (rows.length === 0) return card(caption, element("p", { class: "torana-subtle", text: nothing }));
  const numbers = heads.map((head) => (head.startsWith("#") ? { class: "torana-number" } : {}));
  const head = element("tr", {}, ...heads.map((each, at) => element("th", { scope: "col", ...numbers[at], text: each.replace("#", "") })));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell, at) => {
    const made = element("td", numbers[at]);
    made.append(cell);
    return made;
  })));
  return card(caption, element("table", { class: "torana-table" }, element("thead", {}, head), element("tbody", {}, ...body)));
}

function link(scope, name) {
  if (name === "" || name === "(other)") return name || "no route found";
  return element("a", { class: "text-link", href: `${page.dataset.page}?${new URLSearchParams({ [scope]: name })}`, text: name });
}

function ranked(scope, rows) {
  return rows.map((row) => [
    link(scope, row.name), whole.format(row.requests), percent(share(row.errors, row.requests)), ms(row.p95_ms, "≤ "),
  ]);
}

function standing(text) {
  return element("span", { class: "torana-standing torana-failing", text });
}

function board(title, found, nothing, cells) {
  const made = table(title, cells.heads, found.rows.map(cells.row), nothing);
  if (found.url) made.append(element("p", { class: "torana-board-more" }, element("a", { class: "text-link", href: found.url, text: "All of them" })));
  return made;
}

function showTables() {
  const { top, codes, statuses, totals, breakers, targets, limited } = figures;
  const heads = ["Name", "#Requests", "#Errors", "#95 %"];
  const made = [];
  if (top.routes) made.push(table("Top routes", heads, ranked("route", top.routes), "No route was asked for anything."));
  if (top.services) made.push(table("Top services", heads, ranked("service", top.services), "No service was asked for anything."));
  if (top.consumers) {
    const rows = top.consumers.map((row) => [row.name, whole.format(row.requests), whole.format(row.errors), whole.format(row.refused)]);
    made.push(table("Top consumers", ["Name", "#Requests", "#Errors", "#Refused"], rows, "Nobody who is known asked for anything."));
  }
  const parts = (rows, name) => rows.map((row) => [row[name], whole.format(row.count), percent(share(row.count, totals.requests))]);
  made.push(table("Statuses", ["Status", "#Requests", "#Share"], parts(statuses, "status"), "There was no answer."));
  made.push(table("Refused by the gateway", ["Code", "#Requests", "#Share"], parts(codes, "code"), "The gateway refused nothing."));
  if (breakers) made.push(board("Breakers", breakers, breakers.number ? `All ${breakers.number} are closed.` : "No service has a breaker that worked yet.",
    { heads: ["Service", "State"], row: (row) => [link("service", row.name), standing(row.state)] }));
  if (targets) made.push(board("Targets", targets, targets.number ? `All ${targets.number} that are checked are well.` : "No target is checked.",
    { heads: ["Service", "Target", "State"], row: (row) => [link("service", row.name), row.target, standing(row.state)] }));
  if (limited) made.push(board("Callers refused by quotas, last hour", limited, "Quotas refused nobody.",
    { heads: ["Caller", "Quota", "Route", "#Refused"], row: (row) => [row.name, row.quota, link("route", row.route), whole.format(row.refused)] }));
  document.getElementById("torana-board-tables").replaceChildren(...made);
}

// Charts

// A point without neighbours would be no line.
function alone({ dataset, dataIndex }) {
  const { data } = dataset;
  return data[dataIndex] != null && data[dataIndex - 1] == null && data[dataIndex + 1] == null ? 3 : 0;
}

function line(label, color, data, more = {}) {
  return { label, data, borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: alone, pointHitRadius: 8, tension: 0.2, ...more };
}

function draw(name, type, labels, datasets, format, { stacked = false } = {}) {
  const canvas = document.getElementById(`torana-chart-${name}`);
  if (canvas === null) return;
  const ink = isDark() ? "#cbd5e1" : "#475569";
  const grid = isDark() ? "#ffffff1a" : "#0000001a";
  const known = charts.get(name);
  const options = {
    animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
    scales: {
      x: { stacked, grid: { display: false }, ticks: { color: ink, maxTicksLimit: 8, maxRotation: 0 } },
      y: { stacked, beginAtZero: true, grid: { color: grid }, ticks: { color: ink, maxTicksLimit: 6, callback: (value) => format(value) } },
    },
    plugins: {
      legend: { position: "bottom", labels: { color: ink, boxWidth: 12 } },
      tooltip: { callbacks: { label: ({ dataset, parsed }) => `${dataset.label}: ${format(parsed.y ?? 0)}` } },
    },
  };
  if (known) {
    Object.assign(known, { options });
    known.data = { labels, datasets };
    known.update("none");
  } else charts.set(name, new Chart(canvas, { type, data: { labels, datasets }, options }));
}

function showCharts() {
  const { series, step, totals } = figures;
  const labels = series.map(({ at }) => moment(at));
  const passed = (at) => Math.min(step, Math.max(1, Date.now() / 1000 - at));
  const shown = [...CLASSES].filter(([name]) => totals.classes[name]);
  draw("rate", "bar", labels, shown.map(([name, [label, color]]) => ({
    label, backgroundColor: color, categoryPercentage: 1, barPercentage: 0.9,
    data: series.map((point) => (point.classes[name] ?? 0) / passed(point.at)),
  })), (value) => few.format(value), { stacked: true });
  draw("latency", "line", labels, durations(series), (value) => ms(value));
  draw("errors", "line", labels, [
    line("errors", isDark() ? "#f87171" : "#b91c1c", series.map((point) => point.error_share)),
    line("refused", isDark() ? "#fbbf24" : "#b45309", series.map((point) => share(point.refused, point.requests))),
  ], percent);
  showConnects(labels);
  showSeconds();
}

function durations(points) {
  const values = (name) => points.map((point) => (point.requests ? point[name] : null));
  return [
    line("99 %", isDark() ? "#f87171" : "#b91c1c", values("p99_ms"), { spanGaps: true }),
    line("95 %", isDark() ? "#fbbf24" : "#b45309", values("p95_ms"), { spanGaps: true }),
    line("median", isDark() ? "#60a5fa" : "#1d4ed8", values("p50_ms"), { spanGaps: true }),
  ];
}

// Of routes there are none: their services' connections are everybody's.
function showConnects(labels) {
  if (!figures.totals.connects) return;
  const points = figures.series.map(({ connects }) => connects);
  draw("opened", "bar", labels, [{
    label: "requests", backgroundColor: "#0891b2", categoryPercentage: 1, barPercentage: 0.9,
    data: points.map(({ requests }) => requests),
  }], (value) => (Number.isInteger(value) ? whole.format(value) : ""));
  draw("connects", "line", labels, durations(points), (value) => ms(value));
}

function showSeconds() {
  const now = Math.floor(Date.now() / 1000) - 1;
  const moments = Array.from({ length: LIVE_SECONDS }, (_, at) => now - LIVE_SECONDS + 1 + at);
  for (const at of seconds.keys()) if (at < moments[0]) seconds.delete(at);
  const values = (name) => moments.map((at) => seconds.get(at)?.[name] ?? 0);
  draw("live", "bar", moments.map((at) => `${at - now} s`), [
    { label: "errors", data: values("errors"), backgroundColor: "#dc2626", categoryPercentage: 1, barPercentage: 0.9 },
    { label: "others", data: values("others"), backgroundColor: "#2563eb", categoryPercentage: 1, barPercentage: 0.9 },
  ], (value) => few.format(value), { stacked: true });
}

function show() {
  showTotals();
  showTables();
  showCharts();
}

// News

async function refresh() {
  const mine = ++asked;
  const url = new URL(page.dataset.url, location.href);
  url.searchParams.set("range", range);
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
    const found = await answer.json();
    if (mine !== asked) return;
    figures = found;
    show();
    tell();
  } catch {
    if (mine === asked) tell("no answer");
  }
}

function tell(trouble = "") {
  const text = trouble || (isLive ? "live" : "every 10 s");
  if (state.textContent !== text) state.textContent = text;
  state.classList.toggle("torana-failing", trouble !== "");
}

for (const button of page.querySelectorAll("button[data-range]")) {
  button.addEventListener("click", () => {
    range = button.dataset.range;
    for (const each of page.querySelectorAll("button[data-range]")) each.setAttribute("aria-pressed", String(each === button));
    refresh();
  });
}

async function token() {
  const body = new URLSearchParams({ csrfmiddlewaretoken: page.querySelector("[name=csrfmiddlewaretoken]").value });
  const answer = await fetch(page.dataset.token, { method: "POST", body });
  if (!answer.ok || answer.redirected) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}

async function follow() {
  const { Torana } = await import(page.dataset.client);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const live = new Torana(`${scheme}://${location.host}${page.dataset.endpoint}`, {
    token,
    onState: (now) => {
      isLive = now === "open";
      tell();
    },
  });
  live.subscribe(page.dataset.topic, ({ data, timestamp }) => {
    const at = Math.floor(Date.parse(timestamp) / 1000) - 1; // told at the end of its second
    const known = seconds.get(at) ?? { errors: 0, others: 0 };
    seconds.set(at, { errors: known.errors + data.errors, others: known.others + data.requests - data.errors });
  });
  setInterval(async () => {
    if (live.state === "open") live.authenticate(await token());
  }, RENEW_MS);
}

if (figures) {
  show();
  tell();
} else refresh();
setInterval(() => document.hidden || refresh(), REFRESH_MS);
new MutationObserver(() => figures && showCharts()).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
if (page.dataset.scope === "all") {
  setInterval(() => document.hidden || showSeconds(), 1000);
  follow();
}
