// An OpenID provider for the tests: https://github.com/panva/node-oidc-provider, with people whom the tests make.
// AWE_OIDC holds its settings; a second port takes people (PUT /people/SUBJECT, DELETE).
import http from "node:http";
import Provider from "oidc-provider";

const settings = JSON.parse(process.env.AWE_OIDC);
const people = new Map();

const provider = new Provider(settings.issuer, {
  clients: settings.clients,
  cookies: { keys: ["for the tests"] },
  scopes: ["openid", "profile", "email", "groups"],
  claims: {
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  features: {
    backchannelLogout: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) =>
    people.has(id) ? { accountId: id, claims: () => ({ ...people.get(id), sub: id }) } : undefined,
});

http
  .createServer((request, response) => {
    const id = decodeURIComponent(request.url.split("/").pop());
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      if (request.method === "PUT") people.set(id, JSON.parse(body));
      else people.delete(id);
      response.writeHead(204).end();
    });
  })
  .listen(settings.control, "127.0.0.1");
provider.listen(settings.port, "127.0.0.1", () => console.log("ready"));
