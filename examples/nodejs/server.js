const express = require("express");

const app = express();
app.get("/", (request, response) => response.type("text").send(`Hello from Node.js ${process.version}\n`));

const server = app.listen(process.env.PORT || 5000, () => console.log("listening"));
process.on("SIGTERM", () => server.close());
