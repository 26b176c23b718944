"""The rival: how fast PyTorch trains and uses the same Network in Network on the same CPU.

    python3 bench/pytorch/train_step.py --resize 224 --batch-size 128 --steps 2 --threads 2
    python3 bench/pytorch/train_step.py --infer

After one step that does not count, prints one JSON line per step: {"examplesPerSecond", "seconds"}. A training step is
forward, zero_grad, backward and the update of plain SGD; an inference step is forward without gradients, in evaluation
mode. The last line is {"peakMemoryBytes", ..}: the largest resident memory of the process, and what was run. The input
is random: the speed of these operators does not depend on it. Needs torch (Debian: python3-torch).
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn


def nin_block(cin, cout, kernel, stride, padding):
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, padding),
        nn.ReLU(),
        nn.Conv2d(cout, cout, 1),
        nn.ReLU(),
        nn.Conv2d(cout, cout, 1),
        nn.ReLU(),
    )


def nin():
    """As in Dive into Deep Learning."""
    return nn.Sequential(
        nin_block(1, 96, 11, 4, 0),
        nn.MaxPool2d(3, stride=2),
        nin_block(96, 256, 5, 1, 2),
        nn.MaxPool2d(3, stride=2),
        nin_block(256, 384, 3, 1, 1),
        nn.MaxPool2d(3, stride=2),
        nn.Dropout(0.5),
        nin_block(384, 10, 3, 1, 1),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--resize", type=int, default=224, help="size of the images (default 224)")
    parser.add_argument("--batch-size", type=int, default=128, help="images a step (default 128)")
    parser.add_argument("--steps", type=int, default=2, help="steps that count (default 2)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (default 2)")
    parser.add_argument("--channels-last", action="store_true", help="NHWC memory, which suits some CPUs better")
    parser.add_argument("--infer", action="store_true", help="inference instead of training")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    net = nin()
    images = torch.rand(args.batch_size, 1, args.resize, args.resize)
    labels = torch.randint(0, 10, (args.batch_size,))
    if args.channels_last:
        net = net.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def train():
        loss = loss_of(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def infer():
        with torch.no_grad():
            net(images)

    net.train(not args.infer)
    step = infer if args.infer else train
    step()
    for _ in range(args.steps):
        start = time.perf_counter()
        step()
        seconds = time.perf_counter() - start
        print(json.dumps({"examplesPerSecond": args.batch_size / seconds, "seconds": seconds}), flush=True)

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    about = {
        "peakMemoryBytes": peak if sys.platform == "darwin" else peak * 1024,
        "torch": torch.__version__,
        "mode": "infer" if args.infer else "train",
        "resize": args.resize,
        "batchSize": args.batch_size,
        "threads": args.threads,
    }
    print(json.dumps(about))


if __name__ == "__main__":
    main()
