// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Reentrant
/// @notice On any call, calls back what it was prepared to, and keeps how that ended.
contract Reentrant {
    address public victim;
    bytes public payload;
    bool public wasCalled;
    bool public succeeded;
    bytes public answer;

    function prepare(address victim_, bytes calldata payload_) external {
        victim = victim_;
        payload = payload_;
    }

    function execute(address victim_, bytes calldata data) external {
        (bool success, bytes memory returned) = victim_.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 32), mload(returned))
            }
        }
    }

    fallback() external {
        wasCalled = true;
        (succeeded, answer) = victim.call(payload);
    }
}
