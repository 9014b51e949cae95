"use strict";
// What the pages below /docs share: asking the gateway, and signing in to it. Cookies are the session's.

const portal = (() => {
  const prefix = document.body.dataset.prefix;
  let credential = {};

  async function ask(path, options = {}) {
    const headers = { ...credential, ...(options.body ? { "Content-Type": "application/json" } : {}) };
    const answer = await fetch(path, { ...options, headers });
    const body = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) {
      const error = new Error(body?.error?.message ?? `The gateway answers ${answer.status}.`);
      error.status = answer.status;
      error.details = body?.error?.details;
      throw error;
    }
    return body;
  }

  const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) });
  // The session's own cookie is not for scripts; the one that comes with it is.
  const isKnown = () => Object.keys(credential).length > 0 || /(^|; )torana_csrf_token=/.test(document.cookie);

  async function me() {
    if (!isKnown()) return null;
    try {
      return await ask(`${prefix}/users/me`);
    } catch (error) {
      if (error.status === 401) return null;
      throw error;
    }
  }

  function show(user) {
    document.getElementById("who").textContent = user ? `Signed in as ${user.username}` : "Not signed in";
    document.getElementById("leave").hidden = !user || user.method !== "session";
    document.getElementById("sign-in").hidden = Boolean(user);
  }

  function wire(changed) {
    const form = document.getElementById("sign-in");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { username, password } = Object.fromEntries(new FormData(form));
      const named = username.includes("@") ? { email: username } : { username };
      const fault = form.querySelector(".fault");
      fault.textContent = "";
      try {
        await post("/api/auth/login", { ...named, password });
        form.reset();
        await changed();
      } catch (error) {
        fault.textContent = error.message;
      }
    });
    document.getElementById("leave").addEventListener("click", async () => {
      await ask("/api/auth/logout", { method: "POST" }).catch(() => null);
      location.reload();
    });
  }

  return { ask, post, me, show, wire, prefix, use: (fields) => { credential = fields; } };
})();
