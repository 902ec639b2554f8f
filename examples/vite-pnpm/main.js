document.querySelector("h1").append(`, mode ${import.meta.env.MODE}`);
