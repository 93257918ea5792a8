# Loads the trained model that comes with the project into PyTorch, and draws samples of it.
#
#     pip install torch safetensors pillow numpy
#     python examples/sample.py

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

w = 32
conv, up, norm = nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d
f = nn.Sequential(
    conv(1, w, 4, 2, 1), nn.LeakyReLU(0.2),
    conv(w, 2 * w, 4, 2, 1), norm(2 * w), nn.LeakyReLU(0.2),
    conv(2 * w, 4 * w, 3, 2, 1), norm(4 * w), nn.LeakyReLU(0.2),
    conv(4 * w, 4 * w, 4),
    up(4 * w, 4 * w, 4), norm(4 * w), nn.ReLU(),
    up(4 * w, 2 * w, 3, 2, 1), norm(2 * w), nn.ReLU(),
    up(2 * w, w, 4, 2, 1), norm(w), nn.ReLU(),
    up(w, 1, 4, 2, 1), nn.Tanh(),
).eval()
tensors = load_file("models/mnist.safetensors")


@torch.no_grad()
def apply(x, role):
    """f(x), with the running averages of batch norm for x of this role: "image", "noise" or "sample"."""
    own = {k.removeprefix(role + "."): v for k, v in tensors.items() if k.startswith(role + ".")}
    f.load_state_dict({**tensors, **own}, strict=False)
    return f(x)


# Noise with the mean and the standard deviation that MNIST has at each frequency.
mean, deviation = tensors["noise.frequencies"].view(2, 1, 28, 28, 2)
spectrum = torch.view_as_complex(mean + deviation * torch.randn(16, 1, 28, 28, 2))
z = torch.fft.ifft2(spectrum).real

y = apply(z, "noise")
rows = [z, y, apply(y, "sample")]
grid = torch.cat([torch.cat(list(row[:, 0]), 1) for row in rows])
Image.fromarray(((grid.clamp(-1, 1) + 1) * 127.5).byte().numpy()).save("samples.png")
