/** Why a call is turned away, with the status that says so. */
export class Refused extends Error {
  readonly status: 401 | 403 | 404 | 410 | 413;
  constructor(status: Refused["status"], message: string) {
    super(message);
    this.status = status;
  }
}
