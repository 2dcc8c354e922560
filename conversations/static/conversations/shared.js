// A page that somebody reads by a link: what is new appears, and nothing more once the link has ended.
const POLL = 4000;

async function look() {
  if (!document.hidden) {
    try {
      const response = await fetch(location.pathname + location.search);
      if (response.status === 404) return location.reload();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const [fresh, here] = [page, document].map((each) => each.querySelector(".thread"));
      if (!fresh) return location.reload();
      if (fresh.innerHTML !== here.innerHTML) here.innerHTML = fresh.innerHTML;
    } catch {
      // The network is away for a moment.
    }
  }
  setTimeout(look, POLL);
}

setTimeout(look, POLL);
