// `npm start` shows the client at http://localhost:4200 and passes what belongs to the server on to it.
const target = process.env.FACTORYAI_URL ?? "http://127.0.0.1:8000";

export default {
  "/api": { target },
  "/ws": { target, ws: true },
};
