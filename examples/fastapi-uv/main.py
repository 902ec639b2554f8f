import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def home():
    return {"hello": "from FastAPI", "release": os.environ.get("HEROKU_RELEASE_VERSION")}
