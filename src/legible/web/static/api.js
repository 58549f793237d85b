// Requests to the API.

/** An error that the API answered, or that no answer came. */
export class ApiError extends Error {}
export const NO_ANSWER = "The server does not answer. Is it still running?";

/** Send a request: GET, or POST with a form or JSON. Throws ApiError. */
export async function request(path, { form, json } = {}) {
  const body = form ?? (json && JSON.stringify(json));
  const headers = json ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
  } catch { throw new ApiError(NO_ANSWER); }
  if (!response.ok) throw new ApiError(await messageOf(response));
  return response;
}

/** The message of an error response. */
export async function messageOf(response) {
  try {
    const { error } = await response.json();
    return error.message[0].toUpperCase() + error.message.slice(1);
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

export function formOf(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  return form;
}

/** A page of a file as the URL of a picture, with its size in pixels and the number of pages. */
export async function fetchPage(file, page) {
  const response = await request("api/preview", { form: formOf({ file, page }) });
  const number = (name) => Number(response.headers.get(name));
  return {
    url: URL.createObjectURL(await response.blob()),
    pages: number("Legible-Pages"), width: number("Legible-Width"), height: number("Legible-Height"),
  };
}
