"""The training step of this project in PyTorch: its values are compared with those of a trace, then it is timed.

    cargo run --release --example train -- --out /tmp/run --steps 1 --width 32 --batch 64 --trace /tmp/trace.safetensors
    python peers/pytorch.py /tmp/trace.safetensors [--steps 20] [--device cpu]

Prints one line of JSON. Needs torch and safetensors.
"""

import argparse
import json
import statistics
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

# The weights of reconstruction, idempotence and tightness. The time of a step does not depend on them.
REC, IDEM, TIGHT = 1.0, 1.0, 0.1


def encoder(channels, kernels, outputs):
    """Convolutions with stride 2 and a last one to a single pixel; leaky ReLUs, and batch norm but after the first."""
    layers = []
    for i, (inputs, outs, kernel) in enumerate(zip(channels, channels[1:], kernels)):
        layers.append(nn.Conv2d(inputs, outs, kernel, 2, 1))
        layers += [nn.BatchNorm2d(outs)] if i > 0 else []
        layers.append(nn.LeakyReLU(0.2))
    return layers + [nn.Conv2d(channels[-1], outputs, 4, 1, 0)]


def decoder(inputs, channels, kernels):
    """Transposed convolutions, the first one from a single pixel; batch norm and ReLU, and at the end tanh."""
    layers = [nn.ConvTranspose2d(inputs, channels[0], 4, 1, 0)]
    for ins, outs, kernel in zip(channels, channels[1:], kernels):
        layers += [nn.BatchNorm2d(ins), nn.ReLU(), nn.ConvTranspose2d(ins, outs, kernel, 2, 1)]
    return layers + [nn.Tanh()]


def network(image, w):
    if image == [1, 28, 28]:
        layers = encoder([1, w, 2 * w, 4 * w], [4, 4, 3], 4 * w) + decoder(4 * w, [4 * w, 2 * w, w, 1], [3, 4, 4])
    else:
        wide = [w, 2 * w, 4 * w, 8 * w]
        layers = encoder([3, *wide], [4] * 4, 8 * w) + decoder(8 * w, [*wide[::-1], 3], [4] * 4)
    return nn.Sequential(*layers)


def losses_and_gradients(f, x, z, distance):
    """The losses rec and idem = −tight, and the gradients of each term without its weight."""
    parameters = list(f.parameters())
    rec = distance(f(x), x)
    rec_gradients = torch.autograd.grad(rec, parameters)
    y = f(z)
    inner = y.detach().requires_grad_()
    idem = distance(f(inner), inner)
    *outer, by_y = torch.autograd.grad(idem, [*parameters, inner])
    # Idempotence moves only the inner application of f, tightness only the outer one.
    idem_gradients = torch.autograd.grad(y, parameters, by_y)
    return (rec, idem), (rec_gradients, idem_gradients, [-g for g in outer])


def difference(found, expected):
    """The norm of the difference of two lists of tensors, relative to that of the expected one.

    Of some four million activations a few are so near zero that rounding decides their sign, and with it a slope. Single
    gradients in f32 then differ by up to a hundredth, as they do between PyTorch in f32 and in f64.
    """
    norm = lambda tensors: sum(t.double().square().sum() for t in tensors).sqrt().item()
    return norm(f - e for f, e in zip(found, expected)) / norm(expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    # Both sides compute in f32.
    torch.backends.cudnn.allow_tf32 = False
    trace = {name: tensor.to(arguments.device) for name, tensor in load_file(arguments.trace).items()}
    x, z = trace["x"], trace["z"]
    width = trace["before.0.weight"].shape[0]
    f = network(list(x.shape[1:]), width).to(arguments.device).train()
    names = [name for name, _ in f.named_parameters()]
    f.load_state_dict({name: trace["before." + name] for name in names}, strict=False)
    # The distance of the trace is the one that gives its loss.
    with torch.no_grad():
        fx = f(x)
        distance = min(mse_loss, l1_loss, key=lambda d: abs(d(fx, x) - trace["loss.rec"]).item())

    (rec, idem), gradients = losses_and_gradients(f, x, z, distance)
    terms = [difference([loss], [trace[f"loss.{term}"]]) for term, loss in [("rec", rec), ("idem", idem)]]
    by_term = [
        difference(of_term, [trace[f"grad.{term}.{name}"] for name in names])
        for term, of_term in zip(["rec", "idem", "tight"], gradients)
    ]
    # The sum of differences that are not finite is not finite either; their maximum may be.
    worst_loss, worst_gradient = (max(d) if sum(d) < float("inf") else float("nan") for d in (terms, by_term))

    adam = torch.optim.Adam(f.parameters(), lr=1e-4, betas=(0.5, 0.999), foreach=True)
    times = []
    for i in range(arguments.steps + 3):
        start = time.perf_counter()
        _, (rec, idem, tight) = losses_and_gradients(f, x, z, distance)
        for parameter, a, b, c in zip(f.parameters(), rec, idem, tight):
            parameter.grad = REC * a + IDEM * b + TIGHT * c
        adam.step()
        if arguments.device != "cpu":
            torch.cuda.synchronize()
        # The first steps choose algorithms and allocate.
        if i >= 3:
            times.append(1e3 * (time.perf_counter() - start))
    name = torch.cuda.get_device_name() if arguments.device != "cpu" else f"CPU, {torch.get_num_threads()} threads"
    print(
        json.dumps(
            {
                "peer": f"PyTorch {torch.__version__}",
                "device": name,
                "width": width,
                "batch": x.shape[0],
                "median_ms": statistics.median(times),
                "best_ms": min(times),
                "worst_loss_difference": worst_loss,
                "worst_gradient_difference": worst_gradient,
            }
        )
    )


main()
