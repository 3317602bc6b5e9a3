// Answers from notifications: a click on one, or on one of its buttons, goes to the page that showed it.
//
// It keeps and fetches nothing: without the server there is nothing to call with.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// A page asks who it is, so that its notifications can name it. Those of pages that are gone go, too.
self.addEventListener("message", (event) => {
  if (event.data === "who") {
    event.waitUntil(sweep().finally(() => event.ports[0].postMessage(event.source.id)));
  }
});

async function sweep() {
  for (const notification of await self.registration.getNotifications()) {
    if (!(await self.clients.get(notification.data.client))) {
      notification.close();
    }
  }
}

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
