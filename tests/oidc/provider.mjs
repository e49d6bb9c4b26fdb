// A real OpenID Connect provider on the loopback, for the tests. Its one client and what it says of
// people come from the environment; whoever signs in is believed to be the login that they type.
import { Provider } from "oidc-provider";

const { PORT, REDIRECT_URI, CLIENT_SECRET, AUTH_METHOD, EMAIL_IN = "userinfo" } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

// The subject is the login: "awa@coop.example", "awa@coop.example|2", "awa@coop.example|unverified".
const claims = (login) => {
  const [email, mark] = login.split("|");
  return { sub: login, email, email_verified: mark !== "unverified" };
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "filieres tests",
      client_secret: CLIENT_SECRET || undefined,
      token_endpoint_auth_method: AUTH_METHOD,
      redirect_uris: [REDIRECT_URI],
      post_logout_redirect_uris: [new URL("/", REDIRECT_URI).href],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: EMAIL_IN === "userinfo", // the standard's way: not in the ID token
  cookies: { keys: ["loopback"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, login) => ({ accountId: login, claims: () => claims(login) }),
  pkce: { required: () => true },
  ttl: { AuthorizationCode: 60, AccessToken: 60, IdToken: 60 },
});
provider.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
