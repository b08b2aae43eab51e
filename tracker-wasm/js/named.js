// Properties that a page may hide by the names it gives: in a form a field named `id` stands where the form's
// own id was, and in the document an image named `title` where the document's was.

/**
 * What the platform says, whatever the page has named like it.
 * @param {string} name
 * @param {object} [of] an element, if it is not the document
 * @returns {any}
 */
export const own = (name, of = document) => Reflect.get(Object.getPrototypeOf(of), name, of);
