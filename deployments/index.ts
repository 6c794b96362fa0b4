// Written by `npm run deploy`, of the records beside it: do not edit.
export const deployments = [] as const
