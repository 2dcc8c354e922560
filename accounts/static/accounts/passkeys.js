// Takes the passkey buttons away where there are none, and says in words why one did not.
const names = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known", SecurityError: "address" };
const supported = Boolean(window.PublicKeyCredential && navigator.credentials);

if (!supported) for (const form of document.querySelectorAll(".passkey")) form.hidden = true;

function show(name) {
  for (const box of document.querySelectorAll("[data-passkey-trouble]")) {
    box.hidden = false;
    for (const line of box.querySelectorAll("[data-passkey-case]")) line.hidden = line.dataset.passkeyCase !== name;
  }
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault(); // else it only reaches the console
  show(supported ? (names[event.detail.exception?.name] ?? "other") : "address");
});
