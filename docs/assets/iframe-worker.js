// Search runs in a Worker, which browsers refuse to pages that are opened as files: there a hidden frame is one.
// The theme looks for the name IFrameWorker, and then awaits what `importScripts` gives.
class IFrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.inside = frame.contentWindow;
    addEventListener("message", ({ source, data }) => {
      if (source === this.inside) this.dispatchEvent(new MessageEvent("message", { data }));
    });
    this.inside.document.open(); // which forgets earlier listeners
    this.ready = new Promise((resolve) => this.inside.addEventListener("load", resolve));
    this.inside.document.write(`<body><script>
      postMessage = (data) => parent.postMessage(data, "*");
      importScripts = async (...urls) => {
        for (const src of urls)
          await new Promise((onload) => document.body.append(Object.assign(document.createElement("script"), { src, onload })));
      };
    </script><script src="${url}"></script>`);
    this.inside.document.close();
  }

  async postMessage(data) {
    await this.ready;
    this.inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
  }
}

if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = IFrameWorker;
}
