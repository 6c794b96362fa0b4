// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title Meddler
/// @notice An account that is a contract. The next time it is called or paid it makes all the attempts it was prepared
/// with, keeps how each ended, and answers as it was told.
contract Meddler {
    struct Attempt {
        address target;
        bytes data;
    }

    struct Outcome {
        bool success;
        bytes answer;
    }

    error Refused(uint256 value);

    /// @notice Whether it takes no money.
    bool public refuses;

    /// @notice How often it was called or paid since it was prepared.
    uint256 public calls;

    /// @notice What it answers to a call.
    bytes public answer;

    Attempt[] private _attempts;
    Outcome[] private _outcomes;

    function prepare(Attempt[] calldata attempts) external {
        delete _attempts;
        delete _outcomes;
        calls = 0;
        for (uint256 i = 0; i < attempts.length; ++i) {
            _attempts.push(attempts[i]);
        }
    }

    function answerWith(bytes calldata answer_) external {
        answer = answer_;
    }

    function refuse(bool refuses_) external {
        refuses = refuses_;
    }

    function execute(address target, bytes calldata data) external payable returns (bytes memory) {
        return Address.functionCallWithValue(target, data, msg.value);
    }

    function pay(address payable target) external payable {
        Address.sendValue(target, msg.value);
    }

    function outcomes() external view returns (Outcome[] memory) {
        return _outcomes;
    }

    receive() external payable {
        _meddle();
    }

    fallback(bytes calldata) external payable returns (bytes memory) {
        _meddle();
        return answer;
    }

    function _meddle() private {
        require(!refuses, Refused(msg.value));
        if (++calls > 1) return;
        for (uint256 i = 0; i < _attempts.length; ++i) {
            (bool success, bytes memory returned) = _attempts[i].target.call(_attempts[i].data);
            _outcomes.push(Outcome(success, returned));
        }
    }
}
