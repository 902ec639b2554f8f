import os

from bottle import Bottle
from waitress import serve

app = Bottle()


@app.get("/")
def home():
    return "Hello from Bottle\n"


serve(app, host="0.0.0.0", port=int(os.environ["PORT"]))
