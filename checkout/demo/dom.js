// The little that the page needs to make elements.
import { language, locale, word } from './words.js';

export const $ = (id) => document.getElementById(id);

/** An element: its attributes and listeners, then text and other elements. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts the words of the language into everything that is marked for it. */
export function speak() {
  document.documentElement.lang = locale();
  document.title = word('title');
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-word-placeholder]')) element.placeholder = word(element.dataset.wordPlaceholder);
  $('language').lang = language() === 'zh' ? 'en' : 'zh-CN';
}

/** What an error says to a buyer. */
export function complaint(error) {
  const text = word(`error/${error.code}`) ?? error.detail ?? String(error);
  return error.traceId ? `${text} (${word('trace', { id: error.traceId.slice(0, 8) })})` : text;
}
