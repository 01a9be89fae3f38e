/** The public service. */
export const defaultEndpoint = 'https://www.tinycert.org/api/v1/';
