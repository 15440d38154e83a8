// Environment variables with the credentials for key services. The libraries of the services have many more, which name
// files, accounts and addresses.

export const SERVICE_SECRETS = {
  awskms: ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
  azurekv: ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"],
  vault: ["VAULT_TOKEN", "BAO_TOKEN"],
} as const;
