const http = require("node:http");
const ms = require("ms");

const server = http.createServer((request, response) => response.end(`Hello from Yarn, up for ${ms(process.uptime() * 1000)}\n`));
server.listen(process.env.PORT || 5000);
process.on("SIGTERM", () => server.close());
