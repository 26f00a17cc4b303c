// Passkeys: what the browser's own dialog gives goes into a form. Each form says by data-passkey what it does;
// the options of the dialog lie in #passkey-options, or are fetched when a stranger signs in.
(() => {
  const words = {
    NotAllowedError: "It was cancelled, or took too long. Try again.",
    InvalidStateError: "This device has a passkey for this account already.",
    SecurityError: "Passkeys work only at the address that this installation is known by.",
  };

  function tell(form, error) {
    const place = form.querySelector("[data-passkey-trouble]");
    place.textContent = words[error.name] || "It did not work. Try again, or sign in another way.";
    place.hidden = false;
  }

  async function options(form) {
    const kept = document.getElementById("passkey-options");
    if (kept) return JSON.parse(kept.textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  }

  async function ask(form) {
    const given = await options(form);
    return form.dataset.passkey === "add"
      ? window.webauthnJSON.create(given.creation_options)
      : window.webauthnJSON.get(given.request_options);
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.webauthnJSON || !window.webauthnJSON.supported()) continue; // the page says what to do instead
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      form.querySelector("[data-passkey-trouble]").hidden = true;
      button.disabled = true;
      try {
        form.elements.credential.value = JSON.stringify(await ask(form));
        form.submit();
      } catch (error) {
        tell(form, error);
        button.disabled = false;
      }
    });
  }
})();
