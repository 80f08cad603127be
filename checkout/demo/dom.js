// Helpers to create elements and to show texts.
import { language, locale, text } from './texts.js';

export const $ = (id) => document.getElementById(id);

/** Creates an element with attributes and listeners, and with text and elements as children. */
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

/** Fills every element that has a data-text attribute with the text of the current language. */
export function applyLanguage() {
  document.documentElement.lang = locale();
  document.title = text('title');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll('[data-text-placeholder]')) element.placeholder = text(element.dataset.textPlaceholder);
  $('language').lang = language() === 'zh' ? 'en' : 'zh-CN';
}

/** The message of an error for a buyer. */
export function errorText(error) {
  const message = text(`error/${error.code}`) ?? error.detail ?? String(error);
  return error.traceId ? `${message} (${text('trace', { id: error.traceId.slice(0, 8) })})` : message;
}
