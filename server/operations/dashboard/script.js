// The operator's dashboard: asks /status.json once a second and shows what has changed in between. Whatever the server
// says is put in as text, never as markup.
'use strict';

const kPeriod = 1000;  // milliseconds between two looks
const kKept = 180;     // looks that the charts show

const tiles = [
  {name: 'requests', title: 'Requests', unit: ' /s', value: (now, then) => rate(now, then, 'courant_http_requests_total'),
   note: (now, then) => `${percent(share5xx(now, then))} failed · ${count(sum(now, 'courant_http_connections'))} connections`},
  {name: 'published', title: 'Entries published', unit: ' /s',
   value: (now, then) => rate(now, then, 'courant_entries_published_total'),
   note: (now) => `${count(sum(now, 'courant_entries_published_total'))} since the start`},
  {name: 'delivered', title: 'Entries pushed', unit: ' /s',
   value: (now, then) => rate(now, then, 'courant_hub_entries_delivered_total'),
   note: (now) => `${count(sum(now, 'courant_hub_subscriptions'))} subscriptions`},
  {name: 'latency', title: 'Request latency', unit: ' ms',
   value: (now, then) => quantile(now, then, 'courant_http_request_seconds', 0.5, 1000),
   second: (now, then) => quantile(now, then, 'courant_http_request_seconds', 0.99, 1000),
   note: (now, then, values) => values.second === null ? 'nothing asked' : `99 % within ${short(values.second)} ms`},
  {name: 'commit', title: 'Commit latency', unit: ' ms',
   value: (now, then) => quantile(now, then, 'courant_publish_commit_seconds', 0.5, 1000),
   second: (now, then) => quantile(now, then, 'courant_publish_commit_seconds', 0.99, 1000),
   note: (now) => `${count(sum(now, 'courant_publish_waiting'))} entries wait`},
  {name: 'waiting', title: 'Waiting readers', unit: '', value: (now) => sum(now, 'courant_waiting_readers'),
   note: (now) => `${count(sum(now, 'courant_event_streams'))} of them streams`},
  {name: 'cache', title: 'Pages from memory', unit: ' %', value: hitRate,
   note: (now) => `${bytes(sum(now, 'courant_page_cache_bytes'))} in ${count(sum(now, 'courant_page_cache_pages'))} pages`},
  {name: 'cpu', title: 'Processor', unit: ' %', value: (now, then) => 100 * rate(now, then, 'process_cpu_seconds_total'),
   note: (now) => `${bytes(sum(now, 'process_resident_memory_bytes'))} memory`},
];

let before = null;
const history = new Map(tiles.map((tile) => [tile.name, []]));

// Numbers of a status -----------------------------------------------------------------------------------------------

function series(status, name) {
  return status.metrics[name] || [];
}
function sum(status, name) {
  return series(status, name).reduce((all, one) => all + one.value, 0);
}
function seconds(now, then) {
  return Math.max(0.001, now.time - then.time);
}
function rate(now, then, name) {
  return Math.max(0, sum(now, name) - sum(then, name)) / seconds(now, then);
}
function share5xx(now, then) {
  const failed = (status) => series(status, 'courant_http_requests_total')
      .reduce((all, one) => all + (one.status === '5xx' ? one.value : 0), 0);
  const all = sum(now, 'courant_http_requests_total') - sum(then, 'courant_http_requests_total');
  return all > 0 ? Math.max(0, failed(now) - failed(then)) / all : 0;
}
function hitRate(now, then) {
  const hits = sum(now, 'courant_page_cache_hits_total') - sum(then, 'courant_page_cache_hits_total');
  const misses = sum(now, 'courant_page_cache_misses_total') - sum(then, 'courant_page_cache_misses_total');
  return hits + misses > 0 ? 100 * hits / (hits + misses) : null;
}
// What has come since the last look, from the buckets of all series of a histogram; null: nothing has.
function quantile(now, then, name, share, factor) {
  const byBound = new Map();
  const add = (status, sign) => {
    for (const one of series(status, name + '_bucket')) {
      const bound = one.le === '+Inf' ? Infinity : Number(one.le);
      byBound.set(bound, (byBound.get(bound) || 0) + sign * one.value);
    }
  };
  add(now, 1);
  add(then, -1);
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  const all = bounds.length ? byBound.get(bounds[bounds.length - 1]) : 0;
  if (all <= 0) return null;
  let below = 0, lower = 0;
  for (const bound of bounds) {
    const upto = byBound.get(bound);
    if (upto >= share * all) {
      if (bound === Infinity) return lower * factor;
      return (lower + (bound - lower) * (share * all - below) / Math.max(1, upto - below)) * factor;
    }
    below = upto;
    lower = bound;
  }
  return null;
}

// Words -------------------------------------------------------------------------------------------------------------

function short(value) {
  if (value === null) return '–';
  if (value >= 1e6) return (value / 1e6).toFixed(1) + ' M';
  if (value >= 1e4) return (value / 1e3).toFixed(1) + ' k';
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
}
function count(value) {
  return Math.round(value).toLocaleString('en');
}
function percent(share) {
  return (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0) + ' %';
}
function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) value /= 1024, ++unit;
  return (unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)) + ' ' + units[unit];
}
function duration(value) {
  if (value < 120) return Math.round(value) + ' s';
  if (value < 7200) return Math.round(value / 60) + ' min';
  return value < 172800 ? Math.round(value / 3600) + ' h' : Math.round(value / 86400) + ' d';
}

// The page ----------------------------------------------------------------------------------------------------------

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
function byId(id) {
  return document.getElementById(id);
}

function makeTile(tile) {
  const box = element('article', undefined, 'tile');
  box.id = 'tile-' + tile.name;
  const value = element('p', '–', 'value');
  const note = element('p', '', 'note');
  const chart = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  chart.setAttribute('viewBox', '0 0 100 30');
  chart.setAttribute('preserveAspectRatio', 'none');
  chart.setAttribute('role', 'img');
  const paths = ['area', 'first', 'second'].map((kind) => {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('class', kind);
    chart.append(path);
    return path;
  });
  box.append(element('h2', tile.title), value, note, chart);
  byId('tiles').append(box);
  Object.assign(tile, {box, valueAt: value, noteAt: note, chart, paths});
}

// Points from the right: the newest stands at 100.
function line(values, most) {
  let path = '';
  values.forEach((value, i) => {
    if (value === null) return;
    const x = 100 - (values.length - 1 - i) * 100 / (kKept - 1);
    const y = 29 - 28 * value / most;
    path += (path && values[i - 1] !== null ? 'L' : 'M') + x.toFixed(2) + ' ' + y.toFixed(2);
  });
  return path;
}
function area(values, most) {
  const known = values.map((value) => value === null ? 0 : value);
  const begin = 100 - (known.length - 1) * 100 / (kKept - 1);
  return known.length < 2 ? '' : line(known, most) + `L100 30L${begin.toFixed(2)} 30Z`;
}

function showTile(tile, now, then) {
  const values = {first: tile.value(now, then), second: tile.second ? tile.second(now, then) : null};
  const kept = history.get(tile.name);
  kept.push(values);
  if (kept.length > kKept) kept.shift();
  tile.valueAt.replaceChildren(short(values.first), element('small', values.first === null ? '' : tile.unit));
  tile.noteAt.textContent = tile.note(now, then, values);
  const most = Math.max(1e-9, ...kept.map((one) => Math.max(one.first || 0, one.second || 0)));
  tile.paths[0].setAttribute('d', area(kept.map((one) => one.first), most));
  tile.paths[1].setAttribute('d', line(kept.map((one) => one.first), most));
  tile.paths[2].setAttribute('d', line(kept.map((one) => one.second), most));
  tile.chart.setAttribute('aria-label', `${tile.title}: ${short(values.first)}${tile.unit}, at most ${short(most)}`);
}

function rows(id, list, cells) {
  byId(id).replaceChildren(...list.map((one) => {
    const row = element('tr');
    row.append(...cells(one));
    return row;
  }));
}
function named(text, more) {
  const cell = element('td', text);
  cell.title = more ? `${text}\n${more}` : text;
  if (more) cell.append(element('small', more));
  return cell;
}
function number(text) {
  return element('td', text, 'number');
}

function showFeeds(now, then) {
  const heads = new Map(then.feeds.map((feed) => [feed.name, feed.head]));
  byId('feeds-count').textContent = count(sum(now, 'courant_feeds'));
  byId('feeds-none').hidden = now.feeds.length > 0;
  rows('feeds', now.feeds, (feed) => {
    const grown = Math.max(0, feed.head - (heads.has(feed.name) ? heads.get(feed.name) : feed.head));
    return [named(feed.name), number(count(feed.head)), number(short(grown / seconds(now, then)))];
  });
}

function showLag(now) {
  const lagging = now.hub ? now.hub.worst : [];
  byId('lag-none').hidden = lagging.length > 0;
  byId('lag-none').textContent = now.hub ? 'Every subscription has everything.' : 'This process pushes nothing.';
  byId('lag-count').textContent = lagging.length > 0 ? 'the longest first' : '';
  rows('lag', lagging, (one) => [
    named(one.topic, one.host + (one.last_error ? ': ' + one.last_error : '')), named(one.state),
    number(count(one.positions_behind)), number(duration(one.seconds_behind)),
  ]);
}

function showRoutes(now, then) {
  const routes = new Map();
  const add = (status, sign) => {
    for (const one of series(status, 'courant_http_requests_total')) {
      const route = routes.get(one.route) || {route: one.route, requests: 0, timed: 0, time: 0};
      route.requests += sign * one.value;
      routes.set(one.route, route);
    }
    for (const [name, field] of [['_count', 'timed'], ['_sum', 'time']]) {
      for (const one of series(status, 'courant_http_request_seconds' + name)) {
        if (routes.has(one.route)) routes.get(one.route)[field] += sign * one.value;
      }
    }
  };
  add(now, 1);
  add(then, -1);
  const sorted = [...routes.values()].sort((a, b) => b.requests - a.requests || (a.route < b.route ? -1 : 1));
  rows('routes', sorted.slice(0, 8), (one) => [
    named(one.route), number(short(one.requests / seconds(now, then))),
    number(one.timed > 0 ? short(1000 * one.time / one.timed) + ' ms' : '–'),
  ]);
}

function pairs(id, list) {
  byId(id).replaceChildren(...list.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
}
function showUse(now) {
  const of = (name) => count(sum(now, name));
  const pools = series(now, 'courant_database_pool_threads').map((pool) => {
    const busy = series(now, 'courant_database_pool_busy').find((one) => one.pool === pool.pool);
    return ['database, ' + pool.pool.replace('_', ' '), `${count(busy ? busy.value : 0)} of ${count(pool.value)}`];
  });
  pairs('use', [
    ...pools, ['files and sockets', `${of('process_open_fds')} of ${of('process_max_fds')}`],
    ['deliveries under way', of('courant_client_in_flight')], ['HTTP/2 streams', of('courant_http2_streams')],
    ['heard of others', duration(sum(now, 'courant_follower_behind_seconds')) + ' ago'],
  ]);
}
function showLimits(now) {
  const met = series(now, 'courant_http_limits_total').filter((one) => one.value > 0);
  byId('limits-none').hidden = met.length > 0;
  pairs('limits', met.map((one) => [one.limit.replace('_', ' '), count(one.value)]));
}

function showState(good, words) {
  const state = byId('state');
  state.textContent = words;
  state.className = 'state ' + (good ? 'good' : 'bad');
}

function show(now) {
  const then = before && before.started === now.started ? before : now;
  before = now;
  showState(now.ready, now.ready ? 'ready' : 'the database is not heard');
  byId('about').textContent = `version ${now.version}, up for ${duration(now.time - now.started)}`;
  for (const tile of tiles) showTile(tile, now, then);
  showFeeds(now, then);
  showLag(now);
  showRoutes(now, then);
  showUse(now);
  showLimits(now);
}

async function look() {
  try {
    const answer = await fetch('/status.json', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
  } catch (failure) {
    showState(false, 'the server does not answer');
  }
  setTimeout(look, kPeriod);
}

for (const tile of tiles) makeTile(tile);
look();
