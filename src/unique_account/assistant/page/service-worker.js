// Answers from notifications: a click on one, or on one of its buttons, goes to the page that showed it.
//
// It keeps and fetches nothing: without the server there is nothing to call with.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// A page asks who it is, so that its notifications can name it.
self.addEventListener("message", ({ source, ports, data }) => {
  if (data === "who") {
    ports[0].postMessage(source.id);
  }
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(answered(event.notification.data, event.action));
});

async function answered({ client, call }, action) {
  const page = await self.clients.get(client);
  if (!page) {
    await self.clients.openWindow("./");
    return;
  }
  page.postMessage({ call, action });
  await page.focus().catch(() => {}); // the browser may refuse; the call is answered nevertheless
}
