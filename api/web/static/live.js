// Tells the page whenever an estimate has changed that its reader may see.
const news = new EventSource("/live/events");
news.addEventListener("estimate", () => htmx.trigger(document.body, "estimate"));
addEventListener("pagehide", () => news.close());
