// Shows what is published while the page is open. The page says where its events are; each says that there is something
// new, and the page itself is fetched again, which the server has in memory: there is one rendering of an entry, the
// server's. Without this script the page is read by loading it again.
'use strict';

const kBetween = 1000; // milliseconds from one look to the next, however many entries come

let isLooking = false;
let isBehind = false;

function show(fresh) {
  const known = new Set(Array.from(document.querySelectorAll('article'), (article) => article.id));
  for (const id of ['updated', 'page']) {
    const next = document.importNode(fresh.getElementById(id), true);
    for (const article of next.querySelectorAll('article')) {
      if (!known.has(article.id)) article.classList.add('new');
    }
    document.getElementById(id).replaceWith(next);
  }
}

function look() {
  if (isLooking) {
    isBehind = true;
    return;
  }
  isLooking = true;
  isBehind = false;
  const request = new XMLHttpRequest();
  request.open('GET', location.href);
  request.responseType = 'document';
  request.setRequestHeader('Accept', 'text/html');
  request.onload = () => {
    const fresh = request.response;
    if (request.status === 200 && fresh && fresh.getElementById('page')) show(fresh);
  };
  request.onloadend = () => setTimeout(() => {
    isLooking = false;
    if (isBehind) look();
  }, kBetween);
  request.send();
}

function follow(address) {
  const source = new EventSource(address);
  const sign = document.getElementById('live');
  source.onopen = () => {
    sign.hidden = false;
    look(); // what has come between the page and now
  };
  source.onerror = () => { sign.hidden = true; };
  source.addEventListener('entry', look);
  source.addEventListener('deleted', look);
}

follow(location.pathname + document.getElementById('page').dataset.live);
