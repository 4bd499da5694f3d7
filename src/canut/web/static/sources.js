// Where the options of a long list come from: fetched once and searched here, or, where they are
// too many for that, searched by the server. Each answers the same questions.

import { fold } from "./fold.js";

const RECENT_MAX = 6;
const lists = new Map();
const replies = new Map();

const option = ([value, label, hint, path]) => ({ value, label, hint, path });

async function json(address) {
  const reply = await fetch(address, { headers: { accept: "application/json" } });
  if (!reply.ok) throw new Error(`status ${reply.status}`);
  return reply.json();
}

// Kept while the page lives; what failed is asked for again.
function once(memory, address) {
  if (!memory.has(address)) {
    const asked = json(address);
    asked.catch(() => memory.delete(address));
    memory.set(address, asked);
    if (memory.size > 300) memory.delete(memory.keys().next().value);
  }
  return memory.get(address);
}

// Options folded once, searched at every key.
export async function fetchOptions(address) {
  const { paths, options } = await once(lists, address);
  if (!options.folded) {
    const folded = paths.map(fold);
    options.folded = options.map(([value, label, hint, place, synonyms]) => ({
      ...option([value, label, hint, paths[place]]),
      start: fold(label),
      all: `${fold(label)} ${fold(synonyms.join(" "))} ${folded[place]} ${fold(value)}`,
    }));
  }
  return options.folded;
}

// Every word must occur. Labels that begin with the text come first, then labels in which a word
// begins with it, then those where it occurs in path, synonyms or value.
export function search(options, text, limit) {
  const asked = fold(text).trim();
  if (!asked) return { found: options.slice(0, limit), count: options.length };
  const words = asked.split(/\s+/);
  const ranks = [[], [], [], []];
  for (const one of options) {
    if (!words.every((word) => one.all.includes(word))) continue;
    if (one.start.startsWith(asked)) ranks[0].push(one);
    else if (` ${one.start}`.includes(` ${words[0]}`)) ranks[1].push(one);
    else if (words.every((word) => one.start.includes(word))) ranks[2].push(one);
    else ranks[3].push(one);
  }
  const count = ranks.reduce((sum, rank) => sum + rank.length, 0);
  return { found: ranks.flat().slice(0, limit), count };
}

// The levels and options under a path, out of a list that is here.
function below(options, path) {
  const levels = new Map();
  const found = [];
  for (const one of options) {
    if (one.path === path) found.push(one);
    else if (!path || one.path.startsWith(`${path} › `)) {
      const level = one.path.slice(path ? path.length + 3 : 0).split(" › ")[0];
      levels.set(level, (levels.get(level) ?? 0) + 1);
    }
  }
  return { levels: [...levels], found };
}

export function sourceOf(combo, limit) {
  const { options: address, find: served, likely } = combo.dataset;
  const guessed = JSON.parse(likely || "[]").map(option);
  if (served) {
    const ask = async (more) => {
      const reply = await once(replies, `${served}&${new URLSearchParams(more)}`);
      return { ...reply, found: reply.found.map(option) };
    };
    return {
      likely: guessed,
      ready: Promise.resolve(),
      search: async (q) => {
        const reply = await ask({ q });
        return { ...reply, found: reply.found.slice(0, limit) };
      },
      below: (at) => ask({ at }),
      byValue: async (value) => (await ask({ q: value })).found.find((one) => one.value === value),
    };
  }
  const all = fetchOptions(address);
  all.catch(() => {});
  return {
    likely: guessed,
    ready: all,
    search: async (q) => search(await all, q, limit),
    below: async (at) => below(await all, at),
    byValue: async (value) => (await all).find((one) => one.value === value),
  };
}

// -- what was chosen before, on this device --

const place = (combo) => `canut-recent-${combo.dataset.options}`;

export function recent(combo) {
  try {
    return JSON.parse(localStorage.getItem(place(combo)) ?? "[]").map(option);
  } catch {
    return [];
  }
}

export function remember(combo, chosen) {
  const others = recent(combo).filter((one) => one.value !== chosen.value);
  const rows = [chosen, ...others].slice(0, RECENT_MAX).map((one) => [one.value, one.label, one.hint, one.path]);
  localStorage.setItem(place(combo), JSON.stringify(rows));
}
