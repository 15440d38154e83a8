// Environment variables with the credentials for key services. The libraries of the services have many more, which name
// files, accounts and addresses.

export const AWS_SECRETS = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;
export const AZURE_SECRETS = ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"] as const;
export const VAULT_SECRETS = ["VAULT_TOKEN", "BAO_TOKEN"] as const;
