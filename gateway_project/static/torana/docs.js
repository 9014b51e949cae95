"use strict";
// The page of the API: the document as this caller may see it, in Swagger UI.

(() => {
  // More are shown by their tags alone. Of 150 lines Swagger UI draws only those in sight, which a search in the page misses.
  const MANY = 120;
  const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
  const service = document.getElementById("service");
  const fault = document.getElementById("fault");
  let token = null;
  let listed = "";

  function list(names) {
    if (names.join("\n") === listed) return;
    listed = names.join("\n");
    const chosen = service.value;
    service.querySelectorAll("option[data-service]").forEach((option) => option.remove());
    for (const name of names) {
      const option = new Option(name, name, false, name === chosen);
      option.dataset.service = "";
      service.append(option);
    }
  }

  function note(notes) {
    const lines = notes.map((each) => {
      const item = document.createElement("li");
      item.textContent = `${each.service}: ${each.note}`;
      return item;
    });
    document.getElementById("notes").replaceChildren(...lines);
  }

  function count(spec, wanted) {
    return Object.values(spec.paths).reduce(
      (sum, item) => sum + METHODS.filter((method) => method in item && wanted(item[method].tags ?? [])).length, 0);
  }

  function draw(spec) {
    const services = spec["x-torana-services"] ?? [];
    const isMuch = count(spec, () => true) > MANY;
    const isTheirsMuch = count(spec, (tags) => tags.some((tag) => services.includes(tag))) > MANY;
    const ui = SwaggerUIBundle({
      spec,
      dom_id: "#swagger-ui",
      presets: [SwaggerUIBundle.presets.apis],
      layout: "BaseLayout",
      deepLinking: true,
      defaultModelsExpandDepth: -1,
      docExpansion: isMuch ? "none" : "list",
      persistAuthorization: false,
      validatorUrl: null,
      onComplete: () => {
        if (token) ui.preauthorizeApiKey(token.kind, token.value);
        if (isMuch && !isTheirsMuch) services.forEach((name) => ui.layoutActions.show(["operations-tag", name], true));
      },
    });
  }

  async function load() {
    fault.textContent = "";
    try {
      portal.show(await portal.me());
      const query = service.value === "*" ? "" : `?service=${encodeURIComponent(service.value)}`;
      const spec = await portal.ask(`/docs/openapi.json${query}`);
      if (service.value === "*") list(spec["x-torana-services"] ?? []);
      note(spec["x-torana-notes"] ?? []);
      draw(spec);
    } catch (error) {
      fault.textContent = error.message;
    }
  }

  document.querySelector("#token form").addEventListener("submit", async (event) => {
    event.preventDefault();
    token = Object.fromEntries(new FormData(event.target));
    portal.use(token.kind === "bearer" ? { Authorization: `Bearer ${token.value}` } : { "X-API-Key": token.value });
    await load();
  });
  service.addEventListener("change", load);
  portal.wire(load);
  load();
})();
