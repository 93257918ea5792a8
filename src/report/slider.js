for (const slider of document.querySelectorAll(".slider")) {
  const input = slider.querySelector("input");
  const pictures = [...slider.querySelectorAll("img")];
  const show = () => {
    pictures.forEach((picture, i) => { picture.hidden = i !== Number(input.value); });
    slider.querySelector("output").value = pictures[input.value].alt;
  };
  input.addEventListener("input", show);
  show();
}
