"use strict";
// Passkeys, links that work once, and the progress of a run: what HTML alone cannot do.

async function ask(place, body) {
  const answer = await fetch(place, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.hint ? `${said.message}: ${said.hint}` : said.message);
  return said;
}

function onClick(id, action) {
  const button = document.getElementById(id);
  if (!button) return;
  button.addEventListener("click", async () => {
    const told = document.getElementById("told");
    told.textContent = "";
    button.disabled = true;
    try {
      location.assign((await action()).location);
    } catch (error) {
      told.textContent = error.name === "NotAllowedError" ? "Nothing was done: no passkey was used." : error.message;
    } finally {
      button.disabled = false;
    }
  });
}

// The part after # is never sent: a link that was used stands in no log.
const link = () => location.hash.slice(1);

onClick("passkey-sign-in", async () => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await ask("/sign-in/options", {}));
  const credential = await navigator.credentials.get({ publicKey });
  return ask("/sign-in/finish", { credential: credential.toJSON() });
});

onClick("passkey-enrol", async () => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await ask("/invitation/options", { token: link() }));
  const credential = await navigator.credentials.create({ publicKey });
  return ask("/invitation/finish", { credential: credential.toJSON() });
});

onClick("sign-on-enrol", () => ask("/invitation/sign-on", { token: link() }));

const progress = document.querySelector("[data-events]");
if (progress) {
  const events = new EventSource(progress.dataset.events);
  events.onmessage = (event) => { progress.textContent = event.data; };
  events.addEventListener("end", () => { events.close(); location.reload(); });
}
