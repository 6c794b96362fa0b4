/** The input cannot be trained on. The message names places, never values: records stay inside. */
export class InputError extends Error {
  override name = 'InputError'
}
