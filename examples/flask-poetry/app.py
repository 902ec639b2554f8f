import os

from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/")
def home():
    return f"Hello from Flask, release {os.environ.get('HEROKU_RELEASE_VERSION', 'none')}\n"


@app.get("/health")
def health():
    return jsonify(ok=True)
