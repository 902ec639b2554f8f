from django.http import HttpResponse, HttpResponseRedirect
from django.utils.html import escape
from django.views.decorators.csrf import csrf_exempt

from guestbook.models import Entry


# An example without sessions: there is nothing that somebody else's page could do in your name.
@csrf_exempt
def guestbook(request):
    if request.method == "POST":
        Entry.objects.create(text=request.POST.get("text", "")[:200])
        return HttpResponseRedirect("/")
    entries = "".join(f"<li>{escape(entry.text)}" for entry in Entry.objects.order_by("-id")[:20])
    return HttpResponse(
        f"<!doctype html><html lang=en><title>Guestbook</title><h1>{Entry.objects.count()} entries</h1>"
        f"<form method=post><input name=text maxlength=200><button>Write</button></form><ul>{entries}</ul>\n")
