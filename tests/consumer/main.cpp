// SPDX-License-Identifier: MIT
//
// A C++ program of somebody else's: iqa.hpp as it is installed.
#include <iqa.hpp>

#include <iostream>

int main()
{
    std::vector<unsigned char> image(64 * 64, 7);
    const int64_t shape[] = {64, 64};
    const iqa_tensor tensor = iqa_cpu_tensor(image.data(), IQA_UINT8, 2, shape);
    try {
        iqa::context context;
        iqa::metric ssim = iqa::metric::ssim(context);
        ssim.update(tensor, tensor);
        std::cout << "SSIM " << ssim.compute() << '\n';
        return ssim.compute() == 1.0 ? 0 : 1;
    } catch (const iqa::error &problem) {
        std::cerr << problem.what() << '\n';
        return 1;
    }
}
