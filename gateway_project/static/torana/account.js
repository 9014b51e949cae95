"use strict";
// One's own account: usage, quotas, API keys and sessions, by the API that programs use.

(() => {
  const by = (id) => document.getElementById(id);
  const own = `${portal.prefix}/users/me`;
  const moment = (text) => (text ? new Date(text).toLocaleString() : "never");

  function row(cells, action) {
    const made = document.createElement("tr");
    for (const cell of cells) made.insertCell().textContent = cell;
    if (action) made.insertCell().append(action);
    return made;
  }

  function fill(id, rows, columns, nothing) {
    if (rows.length === 0) {
      const cell = document.createElement("td");
      cell.colSpan = columns;
      cell.textContent = nothing;
      const made = document.createElement("tr");
      made.append(cell);
      rows = [made];
    }
    by(id).replaceChildren(...rows);
  }

  function button(text, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () => trying(act));
    return made;
  }

  async function trying(act) {
    by("fault").textContent = "";
    try {
      await act();
    } catch (error) {
      const fields = Object.entries(error.details ?? {}).map(([name, why]) => `${name}: ${[why].flat().join(" ")}`);
      by("fault").textContent = [error.message, ...fields].join(" ");
    }
  }

  function facts(user) {
    const told = {
      "User name": user.username, "E-mail address": user.email || "none", Consumer: user.consumer,
      Plan: user.plan ?? "none", Roles: user.roles.join(", ") || "none", Scopes: user.scopes.join(" ") || "none",
    };
    by("facts").replaceChildren(...Object.entries(told).flatMap(([name, value]) => {
      const [term, about] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, about.textContent] = [name, value];
      return [term, about];
    }));
  }

  async function usage() {
    const found = await portal.ask(`${own}/usage?range=${by("range").value}`);
    const sum = found.usage;
    by("usage-sum").textContent =
      `${sum.requests} requests, of which ${sum.errors} ended in an error and ${sum.refused} were refused by quotas.`;
    fill("routes", sum.routes.map((each) => row([each.route || "the gateway itself", each.requests, each.errors, each.refused])), 4, "No requests.");
    const left = (quota) => quota.remaining === null ? quota.unknown
      : quota.reset_s <= 0 ? String(quota.remaining) : `${quota.remaining}, all again in ${Math.ceil(quota.reset_s)} s`;
    fill("left", found.quotas.map((each) => row([
      each.quota, each.routes.join(", ") + (each.more_routes ? ` and ${each.more_routes} more` : ""),
      `${each.limit} per ${each.per}`, left(each),
    ])), 4, "No quota holds for you.");
  }

  async function keys() {
    const found = await portal.ask(`${own}/keys`);
    fill("key-rows", found.keys.map((key) => row(
      [key.name, key.prefix, key.scopes === null ? "all of yours" : key.scopes.join(" ") || "none",
        moment(key.created_at), moment(key.expires_at), moment(key.last_used_at)],
      button("Revoke", `Revoke ${key.name}`, async () => {
        if (!confirm(`Revoke the key ${key.name}? What uses it is refused from then on.`)) return;
        await portal.ask(`${own}/keys/${key.id}`, { method: "DELETE" });
        await keys();
      }),
    )), 7, "No keys.");
  }

  async function sessions() {
    const found = await portal.ask(`${own}/sessions`);
    fill("session-rows", found.sessions.map((each) => row(
      [moment(each.created_at), moment(each.last_seen_at), each.address ?? "", each.user_agent ?? ""],
      each.current ? document.createTextNode("this one") : button("End", `End the session of ${moment(each.created_at)}`, async () => {
        await portal.ask(`${own}/sessions/${each.id}`, { method: "DELETE" });
        await sessions();
      }),
    )), 5, "No sessions.");
  }

  async function load() {
    await trying(async () => {
      const user = await portal.me();
      portal.show(user);
      by("account").hidden = !user;
      if (!user) return;
      facts(user);
      await Promise.all([usage, keys, sessions].map(trying));
    });
  }

  by("new-key").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const { name, scopes, expires_at: day } = Object.fromEntries(new FormData(form));
    trying(async () => {
      const wanted = scopes.trim() ? { scopes: scopes.trim().split(/\s+/) } : {};
      const until = day ? { expires_at: `${day}T00:00:00Z` } : {};
      const made = await portal.post(`${own}/keys`, { name, ...wanted, ...until });
      by("secret").hidden = false;
      by("secret").querySelector("code").textContent = made.key;
      form.reset();
      await keys();
    });
  });
  by("range").addEventListener("change", () => trying(usage));
  portal.wire(load);
  load();
})();
