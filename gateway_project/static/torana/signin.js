// Says on the page why a security key could not be used; without this only the browser's console would know.
document.addEventListener("allauth.error", (event) => {
  const box = document.getElementById("torana-problem");
  const isAddress = /^[\d.]+$|:/.test(location.hostname.replace(/^\[|\]$/g, ""));
  box.textContent = isAddress
    ? "Browsers use security keys only where the address is a name: open this page as localhost, or by its host's name."
    : `The security key could not be used: ${event.detail.exception.message}`;
  box.hidden = false;
  event.preventDefault();
});
