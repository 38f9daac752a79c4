// Tells the page whenever something was done that the audit chain records.
const news = new EventSource("/cockpit/events");
news.addEventListener("audit", () => htmx.trigger(document.body, "audit"));
addEventListener("pagehide", () => news.close());
